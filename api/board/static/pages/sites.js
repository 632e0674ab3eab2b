// The places: sites with their time zones, and the teams in them.
import { all, api, day, el, empty, field, fill, notice } from '../core.js'
import { action, ask, edit, ID, idOf, refill, section, siteChoice, sure, table, titled, zoneInput } from '../manage.js'
import { text } from '../text.js'

const t = text.sites

export async function mount(root, { me }) {
  const admin = me.role === 'admin'
  const places = el('div'), groups = el('div')
  let sites = [], teams = []

  async function read() {
    [sites, teams] = await Promise.all([all('/sites'), all('/teams')])
    refill(places, sites.length ? table(t.title, t.head, sites.map(s => [titled(s), s.zone || t.serverZone, s.by && `${s.by}, ${day(s.updated)}`,
      action(t.edit, 'site ' + s.id, () => change(s), { of: titled(s) })])) : empty(admin ? t.none : t.noneYours))
    refill(groups, teams.length ? table(t.teams, t.teamHead, teams.map(x => [titled(x), x.site, el('div', { class: 'row' },
      action(t.edit, `team ${x.site}/${x.id}`, () => changeTeam(x), { of: titled(x) }),
      action(text.remove, `team ${x.site}/${x.id}`, () => sure(t.removeOf(titled(x)), t.aboutRemove, text.remove, async () => {
        const path = `/teams/${x.id}?site=${x.site}`
        await api('DELETE', path, undefined, { match: (await api('GET', path)).etag })
      }, read), { danger: true, of: titled(x) }))])) : empty(t.noTeams))
  }

  const nameField = value => field(t.name, el('input', { name: 'name', maxlength: 200, value: value || '', autocomplete: 'off', oninput: propose }))
  // propose makes an id of a name until somebody writes one.
  function propose({ target }) {
    const id = target.form.elements.id
    if (id && !id.dataset.written) id.value = idOf(target.value)
  }
  const idField = () => field(t.id, el('input', { name: 'id', required: true, ...ID, oninput: e => { e.target.dataset.written = 'yes' } }), t.aboutId)
  const saved = () => { notice(t.saved); return read() }

  const add = () => ask(t.add, [nameField(), idField(), field(t.zone, zoneInput('zone', Intl.DateTimeFormat().resolvedOptions().timeZone), t.aboutZone)], t.add,
    v => api('POST', '/sites', v), saved)
  const change = s => edit(t.editOf(titled(s)), '/sites/' + s.id, stored => [
    field(t.name, el('input', { name: 'name', maxlength: 200, value: stored.name || '' })),
    field(t.zone, zoneInput('zone', stored.zone), t.aboutZone + ' ' + t.zoneMoves), field(text.reason, el('input', { name: 'reason', maxlength: 2000 })),
  ], v => v, saved)
  const addTeam = () => ask(t.addTeam, [field(text.site, siteChoice(sites, me.site)), nameField(), idField()], t.addTeam, v => api('POST', '/teams', v), saved)
  const changeTeam = x => edit(t.editOf(titled(x)), `/teams/${x.id}?site=${x.site}`, stored => [
    field(t.name, el('input', { name: 'name', maxlength: 200, value: stored.name || '' })), field(text.reason, el('input', { name: 'reason', maxlength: 2000 })),
  ], v => v, saved)

  fill(root, el('div', { class: 'titled' }, el('h1', {}, t.title), admin && el('button', { class: 'main', onclick: add }, t.add)), places,
    section('teams', t.teams, el('p', { class: 'soft' }, t.aboutTeams), el('p', {}, el('button', { onclick: addTeam }, t.addTeam)), groups))
  await read()
}
