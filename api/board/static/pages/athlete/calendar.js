// A calendar: a month of sessions, reports, deloads, holds and alerts.
import { el, load } from '../../core.js'
import { text } from '../../text.js'
import { holds, mondayOf } from './weeks.js'

const t = text.athlete.calendar
const DAY = 864e5

export function drawCalendar(page) {
  const today = page.dateOf(Date.now())
  page.month ||= today.slice(0, 7)
  const [year, month] = page.month.split('-').map(Number)
  const first = Date.UTC(year, month - 1, 1)
  const name = new Date(first).toLocaleDateString('en-GB', { month: 'long', year: 'numeric', timeZone: 'UTC' })
  const begin = first - ((new Date(first).getUTCDay() + 6) % 7) * DAY
  const turn = by => event => {
    page.month = new Date(Date.UTC(year, month - 1 + by, 1)).toISOString().slice(0, 7)
    const which = event.target.dataset.turn
    page.draw(['calendar'])
    page.sections.calendar.querySelector(`[data-turn="${which}"]`).focus()
  }
  const sessions = new Map(page.data.sessions.map(s => [s.date, s]))
  const pains = new Map()
  for (const r of page.data.checkins) if (r.pain !== undefined) { const d = page.dateOf(r.time); pains.set(d, Math.max(pains.get(d) ?? 0, r.pain)) }
  const alerts = new Map()
  for (const a of page.data.alerts || []) if (a.state !== 'retracted' && a.window.kind !== 'week') { const d = page.dateOf(a.window.from); alerts.set(d, (alerts.get(d) || 0) + 1) }
  const held = holds(page), deloads = new Set((page.data.weeks || []).filter(w => w.state === 'deload').map(w => w.week).concat(page.athlete.deloads || []))
  const light = new Set([...deloads].map(w => mondayOf(w) * 1000))
  const weeks = []
  for (let at = begin; at < Date.UTC(year, month, 1); at += 7 * DAY) weeks.push(at)
  const cell = (monday, i) => {
    const at = monday + i * DAY, date = new Date(at).toISOString().slice(0, 10)
    if (!date.startsWith(page.month)) return el('td', { class: 'other' })
    const s = sessions.get(date), pain = pains.get(date), n = alerts.get(date)
    const hold = held.some(h => h.from * 1000 < at + DAY && h.to * 1000 > at), deload = light.has(monday)
    const said = [s && t.session(s.sets, load(Math.round(s.volume_kg))), pain !== undefined && t.pain(pain), n && t.alerts(n), hold && t.hold, deload && t.deload].filter(Boolean)
    const inside = [
      el('span', { class: 'date' }, String(+date.slice(8)), el('span', { class: 'hidden' }, ' ', name, ': ')),
      s && el('span', { class: 'mark session' }, t.sets(s.sets)), s && ' ', pain !== undefined && el('span', { class: 'mark ' + (pain >= 6 ? 'critical' : pain >= 3 ? 'warning' : 'good') }, t.painShort(pain)), ' ',
      n && el('span', { class: 'mark urgent' }, t.alertsShort(n)),
    ]
    return el('td', { class: [hold && 'hold', deload && 'deload', date === today && 'today'].filter(Boolean).join(' '), title: said.join(', ') || undefined },
      s ? el('button', { onclick: () => page.showDay(date) }, inside, el('span', { class: 'hidden' }, ' ', said.join(', '))) : el('div', {}, inside, (hold || deload) && el('span', { class: 'hidden' }, said.join(', '))))
  }
  return [
    el('div', { class: 'row' }, el('button', { 'data-turn': 'back', onclick: turn(-1), 'aria-label': t.back }, '‹'), el('strong', { 'aria-live': 'polite' }, name), el('button', { 'data-turn': 'on', onclick: turn(1), 'aria-label': t.on }, '›')),
    el('table', { class: 'calendar' }, el('caption', { class: 'hidden' }, name), el('thead', {}, el('tr', {}, t.days.map(([short, long]) => el('th', { scope: 'col', abbr: long }, short)))),
      el('tbody', {}, weeks.map(monday => el('tr', {}, Array.from({ length: 7 }, (_, i) => cell(monday, i)))))),
    el('p', { class: 'small soft row' }, el('span', { class: 'key hold' }, t.hold), el('span', { class: 'key deload' }, t.deload), t.about),
  ]
}
