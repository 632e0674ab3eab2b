// The athletes: find one, or enrol one.
import { all, api, el, empty, field, fill, go, notice, problem, query } from '../core.js'
import { text } from '../text.js'
import { profileForm } from './athlete/form.js'
import { exportLinks } from './exports.js'

const t = text.athletes

export async function mount(root, { me, query: asked }) {
  if (!document.querySelector('link[href="/board/pages/athlete.css"]')) document.head.append(el('link', { rel: 'stylesheet', href: '/board/pages/athlete.css' }))
  const ending = new AbortController()
  const coach = me.role !== 'athlete'
  const [sites, teams] = coach ? await Promise.all([all('/sites', { signal: ending.signal }), all('/teams', { signal: ending.signal })]) : [[], []]
  const list = el('div', { 'aria-live': 'polite' })
  const name = el('input', { type: 'search', value: asked.get('name') || '', maxlength: 200, oninput: () => later() })
  const siteChoice = el('select', { onchange: () => { drawTeams(); find() } }, el('option', { value: '' }, text.everySite), sites.map(s => el('option', { value: s.id, selected: s.id === asked.get('site') }, s.name || s.id)))
  const teamChoice = el('select', { onchange: () => find() })
  const drawTeams = () => {
    const here = teams.filter(x => !siteChoice.value || x.site === siteChoice.value)
    fill(teamChoice, el('option', { value: '' }, t.everyTeam), here.map(x => el('option', { value: x.site + '/' + x.id, selected: x.site + '/' + x.id === asked.get('team') }, siteChoice.value ? x.name || x.id : `${x.name || x.id} (${x.site})`)))
  }
  drawTeams()
  let timer, turn = 0
  const later = () => { clearTimeout(timer); timer = setTimeout(find, 250) }
  async function find() {
    const mine = ++turn
    const [teamSite, team] = teamChoice.value.split('/')
    const wanted = query({ name: name.value.trim(), site: siteChoice.value || teamSite, team })
    history.replaceState(null, '', '/athletes' + query({ name: name.value.trim(), site: siteChoice.value, team: teamChoice.value }))
    let found
    try {
      found = await all('/athletes' + wanted, { signal: ending.signal })
    } catch (cause) {
      if (mine === turn && !ending.signal.aborted) fill(list, problem(cause), el('button', { onclick: find }, text.retry))
      return
    }
    if (mine !== turn || ending.signal.aborted) return
    fill(list, found.length ? [table(found), coach && !name.value.trim() && exportLinks({ site: siteChoice.value || teamSite, team })] : empty(el('p', {}, wanted ? t.noneFound : t.none), !wanted && coach && el('p', {}, t.noneDo)))
  }
  const teamName = (site, id) => teams.find(x => x.site === site && x.id === id)?.name || id
  const table = found => [
    el('p', { class: 'small soft' }, t.count(found.length)),
    el('div', { class: 'scroll' }, el('table', {}, el('thead', {}, el('tr', {}, t.head.map(h => el('th', { scope: 'col' }, h)))),
      el('tbody', {}, found.map(a => el('tr', {},
        el('th', { scope: 'row' }, el('a', { href: '/athletes/' + a.id }, a.name || a.id), a.name && el('span', { class: 'soft small' }, ' ', a.id)),
        el('td', {}, sites.find(s => s.id === a.site)?.name || a.site), el('td', {}, (a.teams || []).map(x => teamName(a.site, x)).join(', ')), el('td', {}, text.athlete.goals[a.goal || 'strength']),
        el('td', {}, a.revision ? '' : t.seenOnly)))))),
  ]
  const place = el('div')
  const enrol = el('button', {
    class: 'main', 'aria-expanded': 'false', onclick: async () => {
      const open = enrol.getAttribute('aria-expanded') === 'true'
      enrol.setAttribute('aria-expanded', String(!open))
      fill(place)
      if (open) return
      const exercises = new Map((await all('/exercises')).map(e => [e.id, e]))
      fill(place, el('div', { class: 'card' }, el('h2', {}, t.enrol), await profileForm({
        athlete: {}, exercises, me, label: t.enrol, fresh: true,
        send: async body => {
          const made = await api('POST', '/athletes', body)
          notice(t.enrolled)
          if (made.status === 202) { fill(place); enrol.setAttribute('aria-expanded', 'false'); return later() }
          go('/athletes/' + made.data.id)
        },
      })))
      place.querySelector('input').focus()
    },
  }, t.enrol)
  fill(root, el('h1', {}, text.nav.athletes),
    coach && el('div', { class: 'row filters' }, field(t.name, name), field(text.site, siteChoice), field(t.team, teamChoice), enrol), place, list)
  await find()
  return () => { clearTimeout(timer); ending.abort() }
}
