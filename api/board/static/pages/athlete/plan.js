// The plan: what is allowed today and why, and a coach's decisions.
import { api, day, el, field, fill, form, fromUnit, load, moment, notice, number, percent, toUnit, unit } from '../../core.js'
import { text } from '../../text.js'
import { card } from './alerts.js'

const t = text.athlete.plan

export function drawPlan(page) {
  const plan = page.data.plan
  const { today, hold, phase } = plan
  const facts = [
    [t.maxLoad, today.max_load_kg !== undefined && load(today.max_load_kg)], [t.maxShare, today.max_share_pct && percent(today.max_share_pct)],
    [t.minReps, today.min_reps], [t.eccentric, today.eccentric_s && number(today.eccentric_s, today.eccentric_s % 1 ? 1 : 0) + ' s'],
    [t.loss, today.velocity_loss_pct && percent(today.velocity_loss_pct)], [t.week, today.week_volume_kg !== undefined && load(today.week_volume_kg)],
  ].filter(([, v]) => v)
  const alerts = (page.data.alerts || []).filter(a => (a.window.kind === 'episode' || a.rule === 'return-plan') && a.state !== 'retracted')
  return [
    el('p', { class: 'allowance ' + today.deadlifts }, el('strong', {}, t.today[today.deadlifts])),
    el('p', {}, today.reason),
    facts.length > 0 && el('dl', { class: 'facts' }, facts.map(([k, v]) => el('div', {}, el('dt', {}, k), el('dd', {}, v)))),
    hold && el('p', {}, t.hold(day(hold.since), day(hold.planned), t.causes[hold.cause] || hold.cause)),
    phase && el('p', {}, t.phase(phase.number, phase.weeks, day(phase.since), phase.repeats)),
    alerts.map(a => card(page, a)),
    page.coach && controls(page, plan),
    plan.steps.length > 0 && el('details', {}, el('summary', {}, t.steps(plan.steps.length)), el('div', { class: 'scroll' }, el('table', {},
      el('thead', {}, el('tr', {}, t.stepHead.map(h => el('th', { scope: 'col' }, h)))),
      el('tbody', {}, plan.steps.toReversed().map(s => el('tr', {}, el('td', {}, moment(s.at)), el('td', {}, t.verbs[s.verb] || s.verb), el('td', {}, s.by), el('td', {}, s.reason || '')))))))
  ]
}

function controls(page, { hold, phase }) {
  const verbs = [phase ? ['advance', 'repeat', 'end'] : ['start'], hold ? ['release'] : ['hold']].flat()
  const place = el('div')
  const buttons = verbs.map(verb => el('button', {
    'aria-expanded': 'false', 'data-verb': verb, onclick: event => {
      const open = event.target.getAttribute('aria-expanded') === 'true'
      for (const b of buttons) b.setAttribute('aria-expanded', 'false')
      fill(place)
      if (open) return
      event.target.setAttribute('aria-expanded', 'true')
      fill(place, decide(page, verb, hold))
      place.querySelector('input, textarea').focus()
    },
  }, t.do[verb]))
  return el('div', { class: 'controls' }, el('div', { class: 'row' }, buttons), place)
}

function decide(page, verb, hold) {
  const a = page.athlete
  const loadField = (label, name, kg, most) => field(label + ` (${unit()})`, el('input', {
    name, type: 'number', step: 'any', min: toUnit(1), max: toUnit(most), value: kg === undefined ? '' : +toUnit(kg).toFixed(1),
  }), t.fromProfile)
  return form({ class: 'card' }, [
    el('p', {}, verb === 'release' && hold?.cause === 'red-flag' ? t.aboutFlag : t.about[verb]),
    verb === 'start' && loadField(t.preInjury, 'pre_injury_kg', a.pre_injury_kg, 1000),
    verb === 'start' && loadField(t.preInjuryWeek, 'pre_injury_week_kg', a.pre_injury_week_kg, 1e6),
    field(text.reason, el('textarea', { name: 'reason', rows: 2, maxlength: 2000, required: true })),
  ], t.do[verb], async values => {
    const body = { reason: values.reason }
    for (const name of ['pre_injury_kg', 'pre_injury_week_kg']) if (values[name]) body[name] = +fromUnit(+values[name]).toFixed(3)
    const done = await api('POST', page.path + '/plan' + (verb === 'start' ? '' : '/' + verb), body)
    notice(done.status === 202 ? text.athlete.later : t.done[verb])
    page.data.plan = done.data
    page.draw(['plan', 'weeks'])
    page.sections.plan.querySelector('h2').focus()
  })
}
