// Who may do what, what is done with people's data, and backups: for an administrator.
import { all, api, day, el, empty, field, fill, get, learnNames, moment, named, notice, query } from '../core.js'
import { action, ask, choice, ID, once, paged, refill, section, siteChoice, sure, table } from '../manage.js'
import { text } from '../text.js'

const t = text.access

export async function mount(root) {
  const [sites, names] = await Promise.all([all('/sites'), learnNames()])
  const people = () => [...names].map(([id, name]) => [id, name === id ? id : `${name} (${id})`])
  const tokens = el('div')

  async function readTokens() {
    const found = await all('/tokens')
    refill(tokens, found.length ? table(t.tokens, t.tokenHead, found.map(k => [
      k.name, t.roles[k.role] || k.role, k.role === 'coach' ? k.site || text.everySite : k.athlete && named(k.athlete), day(k.created),
      k.expires ? [moment(k.expires), k.expired && el('span', { class: 'critical' }, ' ', t.expired)] : t.never, k.used ? day(k.used) : t.unused,
      action(t.revoke, k.name, () => sure(t.revokeOf(k.name), t.aboutRevoke, t.revoke, () => api('DELETE', '/tokens/' + k.name), () => { notice(t.revoked); return readTokens() }), { danger: true, of: k.name }),
    ])) : empty(t.noTokens))
  }

  function addToken() {
    const site = field(text.site, siteChoice(sites, '', { none: text.everySite }))
    const athlete = field(t.athlete, choice('athlete', [['', t.choose], ...people()]))
    const follow = role => { site.hidden = role !== 'coach'; athlete.hidden = role !== 'athlete' }
    follow('coach')
    ask(t.addToken, [
      field(t.name, el('input', { name: 'name', required: true, ...ID }), t.aboutName),
      field(t.role, choice('role', ['coach', 'admin', 'athlete'].map(r => [r, t.roles[r]]), 'coach', { onchange: e => follow(e.target.value) })), site, athlete,
      field(t.expires, el('input', { name: 'expires', type: 'date' }), t.aboutExpires),
    ], t.addToken, async v => (await api('POST', '/tokens', {
      name: v.name, role: v.role, ...(v.role === 'coach' && v.site && { site: v.site }), ...(v.role === 'athlete' && { athlete: v.athlete }),
      ...(v.expires && { expires: new Date(v.expires + 'T23:59:59').toISOString() }), // to the end of that day, here
    })).data, made => once(t.made(made.name), t.shownOnce, [[t.token, made.token]], { done: readTokens }))
  }

  const receipts = paged(cursor => get('/erasures' + query({ limit: 20, cursor })), items => {
    clearTimeout(again)
    if (items.some(e => e.state === 'waiting')) again = setTimeout(receipts.read, 2000)
    return items.length ? table(t.erasures, t.erasureHead, items.map(e => [
      el('code', {}, e.id), `${e.by}, ${moment(e.at)}`, [el('span', { class: e.state === 'done' ? 'good' : 'warning' }, t.states[e.state] || e.state), e.done && el('div', { class: 'small soft' }, moment(e.done))],
      el('details', {}, el('summary', {}, t.stores(e.stores.length)), el('ul', {}, e.stores.map(s => el('li', { class: s.state === 'failed' ? 'critical' : undefined }, `${s.store}: ${t.states[s.state] || s.state}`, s.detail && el('span', { class: 'soft' }, ' – ', s.detail))))),
      e.lifted ? [t.liftedBy(e.lifted.by, moment(e.lifted.at)), e.lifted.note && `: ${e.lifted.note}`] : e.state === 'done' && action(t.lift, e.id, () => ask(t.liftOf, [el('p', {}, t.aboutLift), field(text.note, el('input', { name: 'note', maxlength: 2000 }))], t.lift,
        v => api('POST', `/erasures/${e.id}/lift`, { note: v.note }), () => { notice(t.lifted); return receipts.read() }), { of: e.id }),
    ])) : empty(t.noErasures)
  })
  let again

  const whom = el('select', { name: 'whom', onchange: () => drawPerson() })
  const person = el('div', { class: 'row' })
  function drawPeople() {
    fill(whom, [['', t.choose], ...people()].map(([value, said]) => el('option', { value }, said)))
    drawPerson()
  }
  function drawPerson() {
    const id = whom.value
    fill(person, id && [el('a', { class: 'button', href: `/api/v1/athletes/${id}/export`, download: id + '.zip' }, t.export),
      el('button', { onclick: () => { audit.athlete.value = id; trail.read(); audit.athlete.scrollIntoView() } }, t.whoLooked),
      el('button', {
        class: 'danger', onclick: () => sure(t.eraseOf(named(id)), t.aboutErase(named(id)), t.erase, v => api('DELETE', `/athletes/${id}` + query({ reason: v.reason })), async () => {
          notice(t.erasing)
          names.delete(id)
          drawPeople()
          await receipts.read()
        }, { typed: id, fields: [field(text.reason, el('input', { name: 'reason', maxlength: 2000 }), t.aboutReason)] }),
      }, t.erase)])
  }

  const audit = { athlete: choice('audit-athlete', [['', t.everybody], ...people()], '', { onchange: () => trail.read() }), by: el('input', { name: 'audit-by', maxlength: 200, onchange: () => trail.read() }) }
  const trail = paged(cursor => get('/audit' + query({ athlete: audit.athlete.value, by: audit.by.value.trim(), limit: 50, cursor })), items => items.length ? table(t.audit, t.auditHead, items.map(a => [
    el('time', { datetime: a.to }, moment(a.to)), a.by, el('code', { class: 'small' }, a.operation), a.athlete ? named(a.athlete) : t.many, a.count > 1 ? t.times(a.count) : '',
  ])) : empty(t.noAudit))

  drawPeople()
  fill(root, el('h1', {}, text.nav.access),
    section('tokens', t.tokens, el('p', { class: 'soft' }, t.aboutTokens), el('p', {}, el('button', { class: 'main', onclick: addToken }, t.addToken)), tokens),
    section('people', t.people, el('p', { class: 'soft' }, t.aboutPeople), el('div', { class: 'row filters' }, field(t.athlete, whom), person), el('h3', {}, t.erasures), receipts.node),
    section('audit', t.audit, el('p', { class: 'soft' }, t.aboutAudit), el('div', { class: 'row filters' }, field(t.athlete, audit.athlete), field(t.by, audit.by)), trail.node),
    section('backup', t.backup, el('p', { class: 'soft' }, t.aboutBackup), el('div', { class: 'row' }, el('a', { class: 'button', href: '/api/v1/backup', download: true }, t.backUp), el('a', { class: 'button', href: '/api/v1/backup?samples=true', download: true }, t.backUpSamples))))
  await Promise.all([readTokens(), receipts.read(), trail.read()])
  return () => clearTimeout(again)
}
