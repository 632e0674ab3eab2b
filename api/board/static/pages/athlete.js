// One athlete: what they did, how they are, what is allowed, and what was found.
import { all, api, el, empty, fill, get, problem } from '../core.js'
import { text } from '../text.js'
import { drawAlerts } from './athlete/alerts.js'
import { drawCalendar } from './athlete/calendar.js'
import { drawDay } from './athlete/day.js'
import { drawHead } from './athlete/head.js'
import { drawPlan } from './athlete/plan.js'
import { drawVelocity } from './athlete/velocity.js'
import { drawWeeks, groupName } from './athlete/weeks.js'
import { drawWellbeing } from './athlete/wellbeing.js'

const t = text.athlete
const DAY = 864e5
// spans are how many weeks can be looked at; the API answers profiles of a year at most.
const spans = [4, 8, 16, 26, 52]

// parts are what is shown, in this order, and what each is drawn from.
const parts = [
  ['plan', drawPlan, ['plan']],
  ['alerts', drawAlerts, ['alerts']],
  ['weeks', drawWeeks, ['weeks', 'plan']],
  ['wellbeing', drawWellbeing, ['checkins', 'sessions']],
  ['calendar', drawCalendar, ['sessions', 'checkins']],
  ['day', drawDay, ['sessions', 'sets']],
  ['velocity', drawVelocity, ['profile', 'sets']],
]

function style() {
  if (!document.querySelector('link[href="/board/pages/athlete.css"]')) document.head.append(el('link', { rel: 'stylesheet', href: '/board/pages/athlete.css' }))
}

export async function mount(root, { me, params: [id], query }) {
  style()
  const ending = new AbortController()
  const page = {
    id, me, coach: me.role !== 'athlete', weeks: spans.includes(+query.get('weeks')) ? +query.get('weeks') : 8, date: query.get('date') || '', data: {}, failed: {},
    path: `/athletes/${id}`, signal: ending.signal, sections: {}, cards: new Map(),
  }
  const found = await api('GET', page.path, undefined, { signal: ending.signal })
  Object.assign(page, { athlete: found.data, etag: found.etag })
  page.exercise = e => e ? page.exercises?.get(e)?.name || groupName(e) : t.noExercise
  // The catalogue is long, and only who corrects or edits needs it.
  page.catalogue = async () => page.exercises ||= new Map((await all('/exercises')).map(e => [e.id, e]))
  page.zone = await zoneOf(page)
  page.dateOf = at => dateIn(page.zone, at)
  page.from = () => new Date(Date.now() - page.weeks * 7 * DAY)

  page.load = names => Promise.all(names.map(async name => {
    const turn = page['turn ' + name] = (page['turn ' + name] || 0) + 1
    let got, cause
    try { got = await sources[name](page) } catch (e) { cause = e }
    if (turn !== page['turn ' + name] || ending.signal.aborted) return
    if (cause) page.failed[name] = cause
    else { delete page.failed[name]; page.data[name] = got }
  }))
  page.draw = names => {
    for (const [name, draw, needs] of parts) {
      if (names && !names.includes(name)) continue
      const section = page.sections[name]
      section.stop?.()
      section.stop = undefined
      const failed = needs.find(n => page.failed[n])
      const body = section.querySelector('.body')
      if (failed) {
        fill(body, problem(page.failed[failed]), el('button', { onclick: async () => { await page.load(needs); page.draw([name]) } }, text.retry))
        continue
      }
      const charts = []
      fill(body, draw(page, { keep: c => { charts.push(c); return c } }))
      section.stop = () => charts.forEach(c => c.stop())
    }
  }
  // refresh follows a change of data: what is shown of it is drawn again, but for the
  // session at hand, which knows of its own changes.
  page.refresh = async () => {
    await page.load(Object.keys(sources))
    if (!ending.signal.aborted) page.draw(parts.map(p => p[0]).filter(name => name !== 'day'))
  }
  page.showDay = date => {
    page.date = date
    note(page)
    page.draw(['day'])
    page.sections.day.scrollIntoView({ block: 'start' })
    page.sections.day.querySelector('h2').focus({ preventScroll: true })
  }
  // at are the alerts about one set, session, week, check-in or episode.
  page.at = (kind, window) => page.data.alerts?.filter(a => a.window.kind === kind && a.window.id === window && a.state !== 'retracted') || []

  const head = page.head = el('div')
  const nothing = el('div')
  const span = el('select', {
    'aria-label': t.span, onchange: async event => {
      page.weeks = +event.target.value
      note(page)
      await page.load(Object.keys(sources))
      draw()
    },
  }, spans.map(n => el('option', { value: n, selected: n === page.weeks }, t.weeksOf(n))))
  const jump = el('nav', { class: 'row jump', 'aria-label': t.onThisPage }, parts.map(([name]) => el('a', { href: '#' + name, onclick: event => {
    event.preventDefault()
    page.sections[name].scrollIntoView({ block: 'start' })
    page.sections[name].querySelector('h2').focus({ preventScroll: true })
  } }, t.parts[name])))
  page.drawHead = () => { fill(head, drawHead(page)); document.title = (page.athlete.name || id) + ' – ' + text.name }
  page.drawHead()
  fill(root, head, el('div', { class: 'row span' }, el('label', { class: 'row' }, t.span, span), jump), nothing,
    parts.map(([name]) => page.sections[name] = el('section', { class: 'card part-' + name, id: name, 'aria-labelledby': 'h-' + name },
      el('h2', { id: 'h-' + name, tabindex: -1 }, t.parts[name]), el('div', { class: 'body' }, el('p', { class: 'loading' }, text.loading)))))
  const draw = () => {
    const bare = ['sets', 'sessions', 'checkins', 'weeks'].every(n => page.data[n] && !page.data[n].length)
    fill(nothing, bare && empty(el('p', {}, page.weeks < 52 ? t.nothing(page.weeks) : t.nothingYet), el('p', {}, page.coach ? t.nothingDo : t.nothingDoAthlete),
      page.coach && el('p', {}, el('a', { href: '/imports?athlete=' + id }, t.importLog))))
    page.draw()
  }
  page.load(Object.keys(sources)).then(() => { if (!ending.signal.aborted) { draw(); if (query.get('alert')) page.cards.get(query.get('alert'))?.() } })
  return () => {
    ending.abort()
    for (const name in page.sections) page.sections[name].stop?.()
  }
}

// sources are where what is shown comes from.
const sources = {
  plan: p => get(p.path + '/plan', { signal: p.signal }),
  weeks: p => history(p, 'weeks'), sessions: p => history(p, 'sessions'), checkins: p => history(p, 'checkins'), sets: p => history(p, 'sets'),
  profile: p => get(p.path + '/profile?from=' + encodeURIComponent(p.from().toISOString()), { signal: p.signal }),
  alerts: p => all(`/alerts?athlete=${p.id}&since=${encodeURIComponent(p.from().toISOString())}`, { signal: p.signal }),
  volumeRule: p => get('/rules/weekly-volume?athlete=' + p.id, { signal: p.signal }),
  loadRule: p => get('/rules/weekly-load?athlete=' + p.id, { signal: p.signal }),
  lossRule: p => get('/rules/velocity-loss?athlete=' + p.id, { signal: p.signal }),
}
const history = (p, what) => all(`${p.path}/${what}?from=${encodeURIComponent(p.from().toISOString())}`, { most: 20000, signal: p.signal })

// note keeps what is looked at in the address, so that it can be sent and come back to.
function note(page) {
  const q = new URLSearchParams()
  if (page.weeks !== 8) q.set('weeks', page.weeks)
  if (page.date) q.set('date', page.date)
  window.history.replaceState(null, '', location.pathname + (q.size ? '?' + q : ''))
}

// zoneOf is the athlete's time zone: dates are those of the place where they train.
async function zoneOf(page) {
  if (page.athlete.zone) return page.athlete.zone
  if (!page.coach) return undefined
  const site = await get('/sites/' + page.athlete.site, { signal: page.signal }).catch(() => ({}))
  return site.zone || undefined
}

function dateIn(zone, at) {
  return new Date(at).toLocaleDateString('sv', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' })
}
