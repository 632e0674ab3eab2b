// Weeks of volume and load against the line that they should stay below, with deloads,
// holds and alerts marked.
import { el, empty, load, number, percent, toUnit, unit } from '../../core.js'
import { chart, seconds, together } from '../../chart.js'
import { text } from '../../text.js'
import { card } from './alerts.js'

const t = text.athlete.weeks
const WEEK = 7 * 86400

// mondayOf is the first moment of an ISO week, in UTC.
export function mondayOf(week) {
  const [year, n] = week.split('-W').map(Number)
  const fourth = Date.UTC(year, 0, 4) // always in week 1
  return fourth / 1000 - ((new Date(fourth).getUTCDay() + 6) % 7) * 86400 + (n - 1) * WEEK
}

export function drawWeeks(page, { keep }) {
  const groups = [...new Set(page.data.weeks.map(w => w.group))].sort((a, b) => (b === 'deadlift_family') - (a === 'deadlift_family') || a.localeCompare(b))
  if (!groups.length) return empty(t.none)
  if (!groups.includes(page.group)) page.group = groups[0]
  const choice = el('select', { onchange: event => { page.group = event.target.value; page.draw(['weeks']); page.sections.weeks.querySelector('select').focus() } },
    groups.map(g => el('option', { value: g, selected: g === page.group }, groupName(g))))
  const weeks = page.data.weeks.filter(w => w.group === page.group).sort((a, b) => a.week.localeCompare(b.week))
  const volumePct = page.data.volumeRule?.limits.advice_pct ?? 10, loadPct = page.data.loadRule?.limits.advice_pct ?? 10
  const alerts = (page.data.alerts || []).filter(a => a.window.kind === 'week' && a.state !== 'retracted' && (!a.group || a.group === page.group))
  const spoken = w => alerts.some(a => a.window.id === w.week)
  const x = { label: t.week, time: true, ticks: true, values: weeks.map(w => mondayOf(w.week)), say: (_, i) => weeks[i].week + ' (' + t.states[weeks[i].state] + (page.athlete.tests?.includes(weeks[i].week) ? ', ' + t.test : '') + ')' }
  const spans = marks(page, weeks)
  const kg = v => v === undefined || v === null ? null : toUnit(v)
  const line = (v, pct) => v === undefined || v === null ? null : toUnit(v * (1 + pct / 100))
  const tops = weeks.map((w, i) => highest(weeks, i))
  const group = together()
  const common = { unit: unit(), digits: 0 }
  return [
    el('label', { class: 'row' }, t.group, choice),
    el('p', { class: 'small soft' }, t.about(volumePct, loadPct)),
    keep(chart({
      title: t.volume(groupName(page.group)), name: `${page.id}-volume`, x, group, spans, axes: [{ scale: 'y', label: t.volumeAxis, unit: unit(), zero: true }],
      series: [
        { ...common, label: t.volumeAxis, scale: 'y', values: weeks.map(w => kg(w.volume_kg)), draw: 'bars', colour: '--accent' },
        { ...common, label: t.baseline, scale: 'y', values: weeks.map(w => kg(w.baseline_kg)), draw: 'line', colour: '--soft', dash: [6, 4] },
        { ...common, label: t.line(volumePct), scale: 'y', values: weeks.map(w => line(w.baseline_kg, volumePct)), draw: 'line', colour: '--critical', size: 5 },
        { ...common, label: t.alert, scale: 'y', values: weeks.map(w => spoken(w) ? kg(w.volume_kg) : null), draw: 'points', colour: '--urgent', size: 11, hollow: true },
      ],
    })),
    keep(chart({
      title: t.load(groupName(page.group)), name: `${page.id}-load`, x, group, spans, height: 220, axes: [{ scale: 'y', label: t.top, unit: unit() }],
      series: [
        { ...common, digits: 1, label: t.top, scale: 'y', values: weeks.map(w => kg(w.top_load_kg)), draw: 'line', colour: '--accent', size: 7 },
        { ...common, digits: 1, label: t.line(loadPct), scale: 'y', values: tops.map(v => line(v, loadPct)), draw: 'line', colour: '--critical', dash: [6, 4] },
      ],
    })),
    el('details', {}, el('summary', {}, t.table), el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': t.table }, el('table', {},
      el('thead', {}, el('tr', {}, t.head.map(h => el('th', { scope: 'col' }, h)))),
      el('tbody', {}, weeks.toReversed().map(w => el('tr', {}, el('th', { scope: 'row' }, w.week), el('td', { class: 'number' }, load(Math.round(w.volume_kg))),
        el('td', { class: 'number' }, w.baseline_kg === undefined ? '–' : load(Math.round(w.baseline_kg))), el('td', { class: 'number' }, percent(w.change_pct)), el('td', { class: 'number' }, number(w.sets)),
        el('td', { class: 'number' }, number(w.reps)), el('td', { class: 'number' }, load(w.top_load_kg)), el('td', {}, t.states[w.state]))))))),
    alerts.map(a => card(page, a)),
  ]
}

export const groupName = g => { const s = g.replace(/_family$/, '').replaceAll('_', ' '); return s.charAt(0).toUpperCase() + s.slice(1) }

// highest is the heaviest load of the last four usable weeks before one, as the rule
// weekly-load compares with.
function highest(weeks, i) {
  const usable = weeks.slice(0, i).filter(w => w.state !== 'deload' && w.state !== 'incomplete' && w.top_load_kg !== undefined).slice(-4)
  return usable.length ? Math.max(...usable.map(w => w.top_load_kg)) : null
}

// marks are deloads, planned tests and holds, as stretches of time.
export function marks(page, weeks) {
  const spans = []
  const week = (w, label, colour) => { const at = mondayOf(w); spans.push({ from: at - WEEK / 2, to: at + WEEK / 2, label, colour }) }
  for (const w of weeks) if (w.state === 'deload') week(w.week, t.deload, '--good')
  const shown = new Set(weeks.map(w => w.week))
  for (const w of page.athlete.deloads || []) if (!shown.has(w) || !weeks.some(x => x.week === w && x.state === 'deload')) week(w, t.planned, '--good')
  for (const w of page.athlete.tests || []) week(w, t.test, '--advice')
  return [...spans, ...holds(page)]
}

// holds are stretches in which heavy deadlifts were on hold: by decisions, by the
// alerts of holds that began by themselves, and the one in force.
export function holds(page) {
  const found = []
  let since
  for (const s of page.data.plan?.steps || []) {
    if (s.verb === 'hold') since ??= seconds(s.at)
    if (s.verb === 'release' && since !== undefined) { found.push([since, seconds(s.at)]); since = undefined }
  }
  if (page.data.plan?.hold) found.push([Math.min(since ?? Infinity, seconds(page.data.plan.hold.since)), Date.now() / 1000])
  for (const a of page.data.alerts || []) if (a.rule === 'hold' && a.window.kind === 'episode' && a.state !== 'retracted') found.push([seconds(a.window.from), seconds(a.window.to)])
  found.sort((a, b) => a[0] - b[0])
  const whole = []
  for (const [from, to] of found) {
    const last = whole.at(-1)
    if (last && from <= last.to) last.to = Math.max(last.to, to)
    else whole.push({ from, to, label: t.hold, colour: '--warning' })
  }
  return whole
}
