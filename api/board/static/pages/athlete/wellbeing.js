// How the athlete was: pain and sleep over time, and the sessions under them.
import { el, empty, moment, number, toUnit, unit } from '../../core.js'
import { chart, seconds, together } from '../../chart.js'
import { text } from '../../text.js'
import { card } from './alerts.js'
import { holds } from './weeks.js'

const t = text.athlete.wellbeing

export function drawWellbeing(page, { keep }) {
  const reports = page.data.checkins, sessions = page.data.sessions
  if (!reports.length && !sessions.length) return empty(t.none)
  const first = Math.min(...[...reports.map(r => seconds(r.time)), ...sessions.map(s => seconds(s.from))]) - 86400, last = Date.now() / 1000 + 86400
  const group = together()
  const spans = holds(page)
  const of = name => reports.map(r => r[name] ?? null)
  const alerts = (page.data.alerts || []).filter(a => a.window.kind === 'checkin' && a.state !== 'retracted')
  const grave = new Set(alerts.map(a => a.window.id))
  return [
    reports.length === 0 ? el('p', { class: 'soft' }, t.noReports) : keep(chart({
      title: t.title, name: `${page.id}-pain-sleep`, group, spans, x: { label: t.day, time: true, values: reports.map(r => seconds(r.time)), range: [first, last], say: (_, i) => moment(reports[i].time) + ' (' + t.phases[reports[i].phase] + ')' },
      axes: [{ scale: 'pain', label: t.pain, range: [0, 10] }, { scale: 'sleep', label: t.sleep, unit: 'h', range: [0, 12] }],
      series: [
        { label: t.sleep, unit: 'h', digits: 1, scale: 'sleep', values: of('sleep_h'), draw: 'line', colour: '--advice', dash: [5, 4], size: 4 },
        { label: t.pain, digits: 0, scale: 'pain', values: of('pain'), draw: 'line', colour: '--critical', size: 6 },
        { label: t.alert, digits: 0, scale: 'pain', values: reports.map(r => grave.has(r.id) ? r.pain ?? 0 : null), draw: 'points', colour: '--urgent', size: 13, hollow: true },
      ],
    })),
    sessions.length === 0 ? el('p', { class: 'soft' }, t.noSessions) : keep(chart({
      title: t.sessions, name: `${page.id}-sessions`, group, spans, height: 190, x: { label: t.day, time: true, values: sessions.map(s => seconds(s.from)), range: [first, last], say: (_, i) => sessions[i].date + ', ' + sessions[i].exercises.map(page.exercise).join(', ') },
      axes: [{ scale: 'y', label: t.volume, unit: unit(), zero: true }],
      series: [{ label: t.volume, unit: unit(), scale: 'y', values: sessions.map(s => toUnit(s.volume_kg)), draw: 'bars', colour: '--accent' }],
    })),
    alerts.map(a => card(page, a)),
    reports.length > 0 && el('details', {}, el('summary', {}, t.all(reports.length)), el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': t.all(reports.length) }, el('table', {},
      el('thead', {}, el('tr', {}, t.head.map(h => el('th', { scope: 'col' }, h)))),
      el('tbody', {}, reports.toReversed().map(r => el('tr', {}, el('th', { scope: 'row' }, moment(r.time)), el('td', {}, t.phases[r.phase] || r.phase),
        el('td', { class: 'number' }, r.pain ?? ''), el('td', {}, [r.region?.replaceAll('_', ' '), ...(r.symptoms || []).map(s => s.replaceAll('_', ' ')), r.stiff_morning_min !== undefined && t.stiff(r.stiff_morning_min)].filter(Boolean).join(', ')),
        el('td', { class: 'number' }, r.sleep_h === undefined ? '' : number(r.sleep_h, 1)), el('td', { class: 'number' }, r.soreness ?? ''), el('td', { class: 'number' }, r.stress ?? ''), el('td', { class: 'number' }, r.nutrition ?? ''), el('td', {}, r.note || ''))))))),
  ]
}
