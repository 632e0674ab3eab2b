// Alerts: what was found, by what evidence, and a coach's answer. A card stands where
// it happened and in the list; all cards of one alert show the same.
import { api, badge, day, el, empty, fill, moment, notice, number, problem, toUnit, unit } from '../../core.js'
import { text } from '../../text.js'

const t = text.athlete.alert

export function drawAlerts(page) {
  const alerts = (page.data.alerts || []).filter(a => a.state !== 'retracted')
  if (!alerts.length) return empty(t.none)
  const open = alerts.filter(a => a.state === 'open' || a.state === 'acknowledged'), closed = alerts.filter(a => !open.includes(a))
  return [
    open.length ? open.map(a => card(page, a)) : el('p', { class: 'soft' }, t.noneOpen),
    closed.length > 0 && el('details', {}, el('summary', {}, t.closed(closed.length)), closed.map(a => card(page, a))),
  ]
}

// card tells of one alert.
export function card(page, alert) {
  const node = el('details', { class: 'alert', 'data-alert': alert.id })
  const draw = a => {
    fill(node,
      el('summary', {}, badge(a.severity), ' ', el('strong', {}, a.title), ' ', el('span', { class: 'soft small' }, text.state[a.state], ' · ', day(a.window.from))),
      el('p', {}, a.message), el('p', {}, a.advice), el('p', { class: 'small' }, evidence(a)),
      a.evidence.expected_false_alarms && el('p', { class: 'small soft' }, t.falseAlarms, ' ', a.evidence.expected_false_alarms),
      el('p', { class: 'small soft' }, t.source(a.source.says, a.source.citation)),
      ...[a.acknowledged && t.acknowledged(a.acknowledged.by, moment(a.acknowledged.at), a.acknowledged.note), a.resolved && t.resolved(a.resolved.by, moment(a.resolved.at), a.resolved.note)]
        .filter(Boolean).map(said => el('p', { class: 'small' }, said)),
      el('div', { class: 'row' }, ['set', 'session'].includes(a.window.kind) && el('button', { onclick: () => page.showDay(page.dateOf(a.window.from)) }, t.where)),
      page.coach && (a.state === 'open' || a.state === 'acknowledged') && answer(page, a))
  }
  draw(alert)
  // Cards of the same alert follow each other's changes.
  node.addEventListener('answered', event => draw(event.detail))
  if (!page.cards.has(alert.id)) page.cards.set(alert.id, () => {})
  page.cards.set(alert.id, () => { node.open = true; node.closest('details:not([data-alert])')?.setAttribute('open', ''); node.scrollIntoView({ block: 'center' }); node.querySelector('summary').focus() })
  return node
}

// evidence is what was seen against what, in one line.
export function evidence({ evidence: e }) {
  const kg = e.metric?.endsWith('_kg')
  const value = (v, as) => v === undefined ? '' : kg && as === 'metric' ? number(toUnit(v), 1) + ' ' + unit() : number(v, Math.abs(v) < 10 && v % 1 ? 2 : v % 1 ? 1 : 0)
  const of = t.units[e.unit] ?? e.unit
  return [
    t.seen(value(e.value), of, value(e.threshold)),
    e.observed !== undefined && t.observed(value(e.observed, 'metric')),
    e.reference && t.against(e.reference, value(e.reference_value, 'metric')), t.sure(e.samples, t.confidence[e.confidence] || e.confidence),
  ].filter(Boolean).join(' ')
}

function answer(page, a) {
  const note = el('textarea', { rows: 2, maxlength: 2000, 'aria-label': text.note, placeholder: text.note })
  const wrong = el('div')
  const say = verb => async () => {
    for (const b of buttons) b.disabled = true
    try {
      const done = await api('POST', `/alerts/${a.id}/${verb}`, { note: note.value })
      notice(done.status === 202 ? text.athlete.later : t.done[verb])
      const known = page.data.alerts.findIndex(b => b.id === a.id)
      if (known >= 0) page.data.alerts[known] = done.data
      for (const other of document.querySelectorAll(`[data-alert="${CSS.escape(a.id)}"]`)) other.dispatchEvent(new CustomEvent('answered', { detail: done.data }))
      node.isConnected || document.querySelector(`[data-alert="${CSS.escape(a.id)}"][open] summary`)?.focus()
    } catch (cause) {
      fill(wrong, problem(cause))
    } finally {
      for (const b of buttons) b.disabled = false
    }
  }
  const buttons = [a.state === 'open' && ['acknowledge', t.acknowledge], ['resolve', t.resolve]].filter(Boolean)
    .map(([verb, label]) => el('button', { type: 'button', class: verb === 'acknowledge' ? 'main' : '', onclick: say(verb) }, label))
  const node = el('div', { class: 'answer' }, note, el('div', { class: 'row' }, buttons), wrong)
  return node
}
