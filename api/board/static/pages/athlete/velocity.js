// Velocity: the load–velocity profile with its noise, the estimated maximum over time,
// and how much each set slowed.
import { day, el, empty, load, number, speed, toUnit, unit } from '../../core.js'
import { chart, seconds } from '../../chart.js'
import { text } from '../../text.js'

const t = text.athlete.velocity

export function drawVelocity(page, { keep }) {
  const profiles = page.data.profile.items.filter(p => p.points.length)
  const sets = page.data.sets.filter(s => s.velocity_loss_pct !== undefined && !s.warmup)
  return [
    el('h3', {}, t.profile),
    profiles.length ? drawProfile(page, profiles, keep) : empty(t.noProfile),
    el('h3', {}, t.loss),
    sets.length ? drawLoss(page, sets, keep) : empty(t.noSets),
  ]
}

function drawProfile(page, profiles, keep) {
  const key = p => [p.exercise, p.site, p.device].join('/')
  if (!profiles.some(p => key(p) === page.profile)) page.profile = key(profiles.toSorted((a, b) => (b.exercise === 'deadlift') - (a.exercise === 'deadlift') || b.points.length - a.points.length)[0])
  const p = profiles.find(p => key(p) === page.profile)
  const choice = el('select', { onchange: event => { page.profile = event.target.value; page.draw(['velocity']); page.sections.velocity.querySelector('select').focus() } },
    profiles.map(q => el('option', { value: key(q), selected: q === p }, t.on(q.name || q.exercise, q.device))))
  const points = p.points.toSorted((a, b) => a.load_kg - b.load_kg || a.at.localeCompare(b.at))
  const newest = points.reduce((a, b) => a.at > b.at ? a : b).at.slice(0, 10)
  const top = points.at(-1).load_kg, e1rm = p.e1rm
  const far = e1rm.kg !== undefined && e1rm.kg > top ? [e1rm.kg] : []
  const loads = [...points.map(q => q.load_kg), ...far]
  const at = kg => p.line ? p.line.a_mps + p.line.b_mps_per_kg * kg : null
  const band = p.line?.see_mps !== undefined ? 1.96 * p.line.see_mps : undefined
  const of = today => [...points.map(q => (q.at.slice(0, 10) === newest) === today ? q.velocity_mps : null), ...far.map(() => null)]
  const series = [
    { label: t.points, unit: 'm/s', digits: 2, scale: 'y', values: of(false), draw: 'points', colour: '--accent', size: 6 },
    { label: t.newest(day(newest)), unit: 'm/s', digits: 2, scale: 'y', values: of(true), draw: 'points', colour: '--warning', size: 9, hollow: true },
  ]
  if (p.line) series.push({ label: t.line, unit: 'm/s', digits: 2, scale: 'y', values: loads.map(at), draw: 'line', colour: '--soft' })
  const bands = []
  if (band !== undefined) {
    series.push({ label: t.upper, unit: 'm/s', digits: 2, scale: 'y', values: loads.map(l => at(l) + band), draw: 'line', colour: '--line', width: 0, silent: true },
      { label: t.lower, unit: 'm/s', digits: 2, scale: 'y', values: loads.map(l => at(l) - band), draw: 'line', colour: '--line', width: 0, silent: true })
    bands.push({ series: [series.length - 2, series.length - 1], colour: '--soft', label: t.band })
  }
  const facts = [
    e1rm.kg !== undefined && t.e1rm(load(round(e1rm.kg)), e1rm.error_kg !== undefined ? load(round(e1rm.error_kg)) : undefined, number(e1rm.published_error_pct, 1)),
    e1rm.why_not && t.noE1rm(e1rm.why_not), e1rm.trend_only && t.trendOnly, p.why_not && t.whyNot(p.why_not),
    e1rm.entered_kg !== undefined && t.entered(load(e1rm.entered_kg)), p.min_velocity && t.minimum(speed(p.min_velocity.value_mps), t.sources[p.min_velocity.source] || p.min_velocity.source),
    p.line && t.fit(p.line.n, p.line.loads, number(p.line.r2, 2)),
  ].filter(Boolean)
  const trend = e1rm.sessions.length > 1 && keep(chart({
    title: t.trend(p.name || p.exercise), name: `${page.id}-maximum`, height: 190, x: { label: t.date, time: true, values: e1rm.sessions.map(s => seconds(s.date)), say: (_, i) => e1rm.sessions[i].date + ' (' + t.forms[e1rm.sessions[i].form] + ')' },
    axes: [{ scale: 'y', label: t.maximum, unit: unit() }],
    series: [{ label: t.maximum, unit: unit(), digits: 1, scale: 'y', values: e1rm.sessions.map(s => toUnit(s.e1rm_kg)), draw: 'line', colour: '--accent', size: 6 }],
  }))
  return [
    el('label', { class: 'row' }, t.exercise, choice),
    keep(chart({
      title: t.title(p.name || p.exercise), name: `${page.id}-load-velocity`, x: { label: t.load, unit: unit(), digits: 1, values: loads.map(toUnit) },
      axes: [{ scale: 'y', label: t.velocity, unit: 'm/s', digits: 1, zero: true }], series, bands, height: 300,
    })),
    el('ul', { class: 'small' }, facts.map(f => el('li', {}, f))),
    trend,
    trend && e1rm.trend.kg_per_week !== undefined && el('p', { class: 'small' }, t.perWeek(signed(toUnit(e1rm.trend.kg_per_week)), signed(toUnit(e1rm.trend.low_kg_per_week)), signed(toUnit(e1rm.trend.high_kg_per_week)), unit())),
  ]
}

const round = kg => Math.round(toUnit(kg) * 2) / 2 / toUnit(1)
const signed = v => (v > 0 ? '+' : '') + number(v, 2)

function drawLoss(page, sets, keep) {
  const exercises = [...new Set(sets.map(s => s.exercise || ''))].sort((a, b) => (b === 'deadlift') - (a === 'deadlift') || page.exercise(a).localeCompare(page.exercise(b)))
  if (!exercises.includes(page.lossOf)) page.lossOf = exercises[0]
  const choice = el('select', { onchange: event => { page.lossOf = event.target.value; page.draw(['velocity']); page.sections.velocity.querySelectorAll('select')[1]?.focus() } },
    exercises.map(e => el('option', { value: e, selected: e === page.lossOf }, page.exercise(e))))
  const shown = sets.filter(s => (s.exercise || '') === page.lossOf)
  const limits = page.data.lossRule?.limits
  const flat = v => shown.map(() => v)
  const bounds = !limits ? [] : shown[0].group === 'deadlift_family'
    ? [[t.advice, limits.deadlift_advice_pct, '--advice'], [t.warning, limits.deadlift_warning_pct, '--critical']]
    : [[t.limit(text.athlete.goals[page.athlete.goal || 'strength']), limits[(page.athlete.goal || 'strength') + '_pct'], '--critical']]
  const spoken = shown.map(s => page.at('set', s.id).length > 0)
  return [
    el('label', { class: 'row' }, t.exercise, choice),
    keep(chart({
      title: t.lossTitle(page.exercise(page.lossOf)), name: `${page.id}-velocity-loss`,
      x: { label: t.date, time: true, values: shown.map(s => seconds(s.from)), say: (_, i) => page.dateOf(shown[i].from) + ', ' + t.set(shown[i].set, load(shown[i].load_kg), shown[i].reps) },
      axes: [{ scale: 'y', label: t.lossAxis, unit: '%', zero: true }],
      series: [
        { label: t.lossAxis, unit: '%', digits: 0, scale: 'y', values: shown.map(s => s.velocity_loss_pct), draw: 'points', colour: '--accent', size: 7 },
        { label: t.alert, unit: '%', digits: 0, scale: 'y', values: shown.map((s, i) => spoken[i] ? s.velocity_loss_pct : null), draw: 'points', colour: '--urgent', size: 13, hollow: true },
        ...bounds.map(([label, v, colour]) => ({ label: label + ` (${v} %)`, scale: 'y', values: flat(v), draw: 'line', colour, dash: [6, 4], width: 1.5, silent: false, unit: '%' })),
      ],
    })),
  ]
}
