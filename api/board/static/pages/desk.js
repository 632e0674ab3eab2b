// The coach's desk: open alerts with their evidence, and where each athlete is now.
import { ago, all, api, badge, el, empty, fill, get, learnNames, moment, named, notice, number, percent, prefer, problem, query, severities, stream, style } from '../core.js'
import { text } from '../text.js'

const t = text.desk

export async function mount(root, { me, query: asked }) {
  style('pages/desk.css')
  const look = { severity: 'advice', state: 'open', site: me.site || '', athlete: '' }
  const seen = prefer.get('seen', '') // until when this browser has looked before
  const alerts = new Map()
  const list = el('div', { 'aria-live': 'polite', 'aria-relevant': 'additions' })
  const team = el('div')
  const fresh = el('span', { class: 'small soft', role: 'status' })
  const sites = await all('/sites')
  await learnNames()

  const choose = (label, name, options) => el('label', { class: 'small' }, label + ' ', el('select', {
    onchange: event => { look[name] = event.target.value; load().catch(failed) },
  }, options.map(([value, said]) => el('option', { value, selected: look[name] === value }, said))))
  const more = el('button', { hidden: true, onclick: () => load(true).catch(failed) }, text.more)
  let next = ''

  fill(root, el('h1', {}, text.nav.desk), el('div', { class: 'desk' },
    el('section', { 'aria-labelledby': 'alerts' }, el('div', { class: 'row' }, el('h2', { id: 'alerts', class: 'grow' }, t.alerts), fresh),
      el('div', { class: 'row filters' },
        choose(t.severity, 'severity', severities.map(s => [s, text.severity[s]])),
        choose(t.state, 'state', [['open', text.state.open], ['acknowledged', text.state.acknowledged], ['resolved', text.state.resolved], ['', t.every]]),
        sites.length > 1 && choose(text.site, 'site', [['', text.everySite], ...sites.map(s => [s.id, s.name || s.id])])),
      list, more),
    el('section', { 'aria-labelledby': 'team' }, el('h2', { id: 'team' }, t.team), team)))

  const failed = cause => fill(list, problem(cause))
  const fits = a => (!look.state || a.state === look.state) && severities.indexOf(a.severity) >= severities.indexOf(look.severity) && (!look.site || a.site === look.site)

  async function load(further) {
    const page = await get('/alerts' + query({ severity: look.severity, state: look.state, site: look.site, limit: 50, cursor: further ? next : '' }))
    if (!further) alerts.clear()
    if (asked.get('alert') && !further) { // where a message leads to
      const one = await get('/alerts/' + asked.get('alert')).catch(() => undefined)
      if (one) alerts.set(one.id, one)
    }
    for (const a of page.items) alerts.set(a.id, a)
    next = page.next
    more.hidden = !next
    draw()
  }

  // draw keeps the elements of alerts that have not changed, so that focus and what is
  // open or half typed stay.
  const drawn = new Map()
  function draw() {
    const first = a => a.id === asked.get('alert') ? 1 : 0
    const order = [...alerts.values()].sort((a, b) => first(b) - first(a) || severities.indexOf(b.severity) - severities.indexOf(a.severity) || new Date(b.opened) - new Date(a.opened))
    const nodes = order.map(a => {
      const known = drawn.get(a.id)
      if (known?.revision === a.revision && known.state === a.state) return known.node
      const node = card(a)
      if (a.id === asked.get('alert')) { node.querySelector('details').open = true; node.classList.add('asked') }
      drawn.set(a.id, { revision: a.revision, state: a.state, node })
      return node
    })
    for (const id of drawn.keys()) if (!alerts.has(id)) drawn.delete(id)
    if (!nodes.length) return fill(list, empty(look.state === 'open' ? t.calm : t.nothing))
    if (nodes.length !== list.children.length || nodes.some((n, i) => n !== list.children[i])) {
      const focus = document.activeElement
      list.replaceChildren(...nodes)
      if (list.contains(focus)) focus.focus()
    }
  }

  function card(a) {
    const note = el('input', { placeholder: text.note, 'aria-label': text.note, maxlength: 2000 })
    const answer = verb => async event => {
      event.target.disabled = true
      try {
        const { data } = await api('POST', `/alerts/${a.id}/${verb}`, { note: note.value })
        take(data)
        notice(t.answered[verb])
      } catch (cause) {
        notice(cause.message)
        event.target.disabled = false
      }
    }
    const e = a.evidence
    return el('article', { class: `alert ${a.severity}${seen && a.updated > seen ? ' new' : ''}` },
      el('div', { class: 'row' }, badge(a.severity), el('h3', { class: 'grow' }, el('a', { href: '/athletes/' + a.athlete }, named(a.athlete)), ': ', a.title),
        el('time', { class: 'small soft', datetime: a.opened, title: moment(a.opened) }, ago(a.opened))),
      el('p', {}, a.message),
      el('details', {}, el('summary', {}, t.why),
        el('p', {}, a.advice),
        el('p', { class: 'small soft' }, t.evidence(e.metric || a.rule, number(e.value, 1), e.unit, number(e.threshold, 1), e.samples, e.confidence)),
        e.expected_false_alarms && el('p', { class: 'small soft' }, e.expected_false_alarms),
        el('p', { class: 'small soft' }, a.source.says, ' – ', a.source.citation)),
      a.acknowledged && el('p', { class: 'small soft' }, t.acknowledgedBy(a.acknowledged.by, moment(a.acknowledged.at), a.acknowledged.note)),
      (a.state === 'open' || a.state === 'acknowledged') && el('div', { class: 'row' }, el('span', { class: 'grow' }, note),
        a.state === 'open' && el('button', { onclick: answer('acknowledge') }, t.acknowledge),
        el('button', { onclick: answer('resolve') }, t.resolve)),
      a.state !== 'open' && el('p', { class: 'small soft' }, text.state[a.state]))
  }

  function take(a) {
    if (fits(a)) alerts.set(a.id, a)
    else alerts.delete(a.id)
    draw()
  }

  async function loadTeam() {
    const rows = await all('/standings' + query({ site: look.site }), { most: 500 })
    if (!rows.length) return fill(team, empty(t.noTeam, ' ', el('a', { href: '/setup' }, t.setUp)))
    const head = [t.athlete, t.week, t.pain, t.plan, t.last, t.reports, t.open].map(h => el('th', { scope: 'col' }, h))
    fill(team, el('div', { class: 'scroll' }, el('table', { class: 'team' }, el('thead', {}, el('tr', {}, head)), el('tbody', {}, rows.map(row)))))
  }

  function row(r) {
    const worst = severities.findLast(s => r.open?.[s])
    const pain = r.pain ? `${r.pain.score}/10` : '–'
    return el('tr', {},
      el('th', { scope: 'row' }, el('a', { href: '/athletes/' + r.id }, r.name || r.id)),
      el('td', { class: r.week?.change_pct > 10 ? 'up' : '' }, r.week ? (r.week.change_pct === undefined ? t.learning : percent(r.week.change_pct)) : '–'),
      el('td', { class: r.pain?.score >= 6 ? 'up' : '', title: r.pain && moment(r.pain.at) }, pain),
      el('td', {}, r.hold ? t.hold : r.phase ? t.phase(r.phase) : '–'),
      el('td', {}, r.last_session ? ago(r.last_session) : '–'),
      el('td', {}, r.sessions ? `${r.reported}/${r.sessions}` : '–'),
      el('td', {}, worst ? badge(worst) : '–'))
  }

  let dirty
  const soon = () => { dirty ??= setTimeout(() => { dirty = undefined; loadTeam().catch(() => {}) }, 5000) }
  const stop = stream('/alerts/stream' + query({ site: me.site }), {
    alert: a => { take(a); soon() },
    reset: () => load().catch(failed),
  }, state => {
    fill(fresh, text.fresh[state])
    if (state === 'live') { load().catch(failed); soon() } // what happened while nobody listened
  })
  const every = setInterval(soon, 60000)
  prefer.mark('seen', new Date().toISOString())
  await Promise.all([load().catch(failed), loadTeam().catch(cause => fill(team, problem(cause)))])
  return () => { stop(); clearInterval(every); clearTimeout(dirty) }
}
