// What the pages of limits share: for whom they are, how a limit is written, the sliders
// of a rule with what they would have found, and how they are saved.
import { all, api, el, fill, get, go, moment, notice, Problem, problem, query, unit } from './core.js'
import { trial } from './trial.js'
import { text } from './text.js'

const t = text.rules

export const ruleName = rule => t.name[rule] || rule
export const limitName = (rule, limit) => t.limits[rule + '.' + limit] || t.limits[limit] || limit

// People read shares as percent, and loads in their unit.
const factor = about => about.unit === 'share' ? 100 : about.unit === 'kg' && unit() === 'lb' ? 1 / 0.45359237 : 1
const unitOf = about => about.unit === 'kg' ? unit() : t.unit[about.unit] ?? about.unit
const round = (value, digits) => Number(value.toFixed(digits))
const toShown = (about, value) => round(value * factor(about), 3)
const toStored = (about, value) => factor(about) === 1 ? value : round(value / factor(about), 6)
const written = v => v.toLocaleString('en', { maximumFractionDigits: 3 })
export const said = (about, value) => [value].flat().map(v => written(toShown(about, v))).join(', ') + (unitOf(about) ? ' ' + unitOf(about) : '')
const rangeOf = about => [written(toShown(about, about.least)), written(toShown(about, about.most))]

// scopeOf is for whom limits are, as the address says it. A coach of one site begins
// with that site.
export function scopeOf(q, me) {
  const scope = { site: q.get('site') || me.site || '', team: q.get('team') || '', athlete: q.get('athlete') || '' }
  if (scope.athlete) scope.team = ''
  return scope
}

// asked is a scope as the API wants it.
export const asked = scope => scope.athlete ? { athlete: scope.athlete } : { site: scope.site, team: scope.team }

// scopePicker leads to the same page for somebody else. more is what else stays in the
// address.
export async function scopePicker(path, scope, me, more = {}) {
  const [sites, teams] = await Promise.all([all('/sites'), scope.site ? all('/teams' + query({ site: scope.site })) : []])
  const to = change => go(path + query({ ...scope, ...change, ...more }))
  const choose = (label, value, options, pick) => el('label', {}, el('span', {}, label), el('select', { onchange: e => pick(e.target.value) },
    options.map(([v, name]) => el('option', { value: v, selected: v === value }, name))))
  const named = list => list.map(x => [x.id, x.name || x.id])
  return el('div', { class: 'card row scope' },
    choose(text.site, scope.site, [...(me.site ? [] : [['', t.house]]), ...named(sites)], site => to({ site, team: '', athlete: '' })),
    teams.length > 0 && choose(t.team, scope.team, [['', t.everyTeam], ...named(teams)], team => to({ team, athlete: '' })),
    athletePicker(t.athlete, scope, id => to({ athlete: id, team: '' })),
    scope.athlete && el('button', { onclick: () => to({ athlete: '' }) }, t.clear))
}

// athletePicker is a field that finds somebody by name or id. Its look() returns the id.
export function athletePicker(label, { site = '', athlete = '' }, pick, name) {
  const list = el('datalist', { id: 'athletes-' + Math.random().toString(36).slice(2) })
  const wrong = el('small', { class: 'critical', role: 'alert' })
  const input = el('input', { list: list.id, value: athlete, name, placeholder: t.athleteHint, autocomplete: 'off', maxlength: 200 })
  const find = async () => (await get('/athletes' + query({ site, name: input.value.trim(), limit: 20 }))).items
  let turn = 0
  input.addEventListener('input', async () => {
    const mine = ++turn
    try {
      const found = await find()
      if (mine === turn) fill(list, found.map(a => el('option', { value: a.id }, a.name || a.id)))
    } catch {
      // The list only helps; what is chosen is looked up again.
    }
  })
  // look returns whom is meant, and tells where that is nobody.
  async function look() {
    fill(wrong)
    const wanted = input.value.trim().toLowerCase()
    if (!wanted) return ''
    const found = await find()
    const called = found.filter(a => a.name?.toLowerCase() === wanted)
    const one = found.find(a => a.id === wanted) || (called.length === 1 && called[0]) || (found.length === 1 && found[0])
    if (!one) {
      fill(wrong, t.noAthlete)
      return ''
    }
    input.value = one.id
    return one.id
  }
  input.addEventListener('change', () => look().then(id => id && pick?.(id), cause => fill(wrong, cause.message)))
  return Object.assign(el('label', { class: 'field' }, el('span', {}, label), input, list, wrong), { look })
}

// mayChange says whether the caller may change what holds for a scope.
export const mayChange = (scope, me) => !me.site || Boolean(scope.site || scope.athlete)

// source says where a rule comes from.
export const source = rule => el('p', { class: 'small soft' }, t.source + ': ', rule.source.says, ' – ', rule.source.citation)

export const word = rule => el('p', { class: 'small soft' }, rule.set
  ? [t.set(t.scope[rule.set.scope] || rule.set.scope, rule.set.scope === 'house' ? '' : rule.set.id, rule.set.by, moment(rule.set.at)), rule.set.reason && ': ' + rule.set.reason]
  : t.defaults)

// spanOf is what a slider shows of a range that may be very wide.
function spanOf(about, usual, value) {
  const f = factor(about)
  const least = about.least * f
  const most = about.unit === 'share' ? 100 : Math.min(about.most * f, Math.max(least + 4 * ((usual || 1) * f - least), usual * f * 2, value * f * 1.5, least + (about.whole ? 4 : 0)))
  const step = about.whole ? 1 : 10 ** Math.ceil(Math.log10((most - least) / 200 || 1))
  return { min: round(least, 4), max: round(Math.ceil(most / step - 1e-9) * step, 4), step: round(step, 4) }
}

// editor edits the limits of a rule for a scope. whole shows all that a backtest says;
// saved is called with the rule as it is afterwards. Its end stops what it has begun.
export function editor(rule, scope, me, { whole, saved }) {
  let etag
  const draft = structuredClone(rule.limits)
  const may = mayChange(scope, me)
  const found = trial(rule, scope, { whole })
  const inputs = new Map(), wrongs = new Map(), sayings = new Map()
  const wrongAll = el('div')
  const reason = el('input', { name: 'reason', maxlength: 2000, autocomplete: 'off' })
  const save = el('button', { class: 'main', disabled: !may }, text.save)
  const back = el('button', { type: 'button', hidden: true, onclick: () => send({}, t.backDone) }, t.back)
  const reset = el('button', { type: 'button', onclick: () => { for (const redraw of redraws) redraw(); moved() } }, t.reset)
  const redraws = []
  const broken = new Set() // limits that are no number of their range

  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b)
  const changed = () => Object.fromEntries(Object.entries(draft).filter(([name, v]) => !same(v, rule.limits[name])))

  function moved() {
    const now = changed()
    reset.disabled = !Object.keys(now).length
    order()
    found.ask([...inputs.values()].flat().some(i => i.getAttribute('aria-invalid') === 'true') ? undefined : Object.keys(now).length ? draft : {})
  }

  // order tells where a limit is below one that it must not be below.
  function order() {
    for (const about of rule.about) {
      if (!about.above || broken.has(about.name)) continue
      fault(about.name, draft[about.name] < draft[about.above] && !broken.has(about.above) ? t.below(limitName(rule.rule, about.above)) : undefined)
    }
  }

  // tell puts a fault beside the limit that it names, and what belongs to none above the button.
  function tell(cause) {
    const name = cause.field?.split('.').findLast(part => inputs.has(part))
    if (!name) return fill(wrongAll, problem(cause))
    fault(name, cause.message.replace(cause.field + ': ', '').replace(/\b[a-z0-9_]+$/, other => inputs.has(other) ? limitName(rule.rule, other) : other))
    inputs.get(name)[0].focus()
  }

  function fault(name, why) {
    fill(wrongs.get(name), why)
    for (const input of inputs.get(name)) {
      if (why) input.setAttribute('aria-invalid', 'true')
      else input.removeAttribute('aria-invalid')
    }
  }

  function clear() {
    fill(wrongAll)
    for (const name of inputs.keys()) fault(name)
  }

  function limit(about) {
    const name = about.name
    const at = i => about.count > 1 ? draft[name][i] : draft[name]
    const put = (i, v) => { if (about.count > 1) draft[name][i] = v; else draft[name] = v }
    const original = i => about.count > 1 ? rule.limits[name][i] : rule.limits[name]
    const wrong = el('small', { class: 'critical wrong', role: 'alert', id: `wrong-${rule.rule}-${name}` })
    const now = el('small', { class: 'soft' })
    wrongs.set(name, wrong)
    inputs.set(name, [])
    sayings.set(name, () => fill(now, t.now(said(about, rule.limits[name]), said(about, rule.defaults[name])), ' (', t.from(...rangeOf(about), ''), ')',
      rule.own && name in rule.own && [' · ', el('strong', {}, t.own)]))
    sayings.get(name)()
    const rows = Array.from({ length: about.count }, (_, i) => {
      const label = limitName(rule.rule, name) + (about.count > 1 ? ', ' + t.phase(i) : '')
      const usual = about.count > 1 ? rule.defaults[name][i] : rule.defaults[name]
      const span = spanOf(about, usual, at(i))
      const typed = el('input', { type: 'text', inputmode: 'decimal', name: about.count > 1 ? name + i : name, 'aria-label': label, 'aria-describedby': wrong.id, autocomplete: 'off', disabled: !may && !whole })
      const slider = el('input', { type: 'range', 'aria-label': t.slider(label), min: span.min, max: span.max, step: span.step, disabled: !may && !whole })
      const draw = () => { typed.value = toShown(about, at(i)); slider.value = toShown(about, at(i)) }
      slider.addEventListener('input', () => {
        put(i, toStored(about, Number(slider.value)))
        typed.value = slider.value
        broken.delete(name)
        fault(name)
        moved()
      })
      typed.addEventListener('input', () => {
        const v = typed.value.trim() === '' ? NaN : Number(typed.value.replace(',', '.'))
        // What is as it was shown stays exactly as it was.
        const stored = v === toShown(about, original(i)) ? original(i) : toStored(about, v)
        const why = !Number.isFinite(v) ? t.number : about.whole && !Number.isInteger(v) ? t.whole : stored < about.least || stored > about.most ? t.outside(...rangeOf(about)) : undefined
        fault(name, why)
        if (why) broken.add(name)
        else broken.delete(name)
        if (!why) { put(i, stored); slider.value = v }
        moved()
      })
      inputs.get(name).push(typed)
      redraws.push(() => { put(i, structuredClone(original(i))); broken.delete(name); fault(name); draw() })
      draw()
      return el('div', { class: 'limit' }, el('span', { class: 'limit-name' }, label), slider, el('span', { class: 'limit-value' }, typed, el('span', {}, unitOf(about))))
    })
    return el('div', { class: 'limit-set', role: 'group', 'aria-label': limitName(rule.rule, name) }, rows, el('div', {}, now, ' ', wrong))
  }

  // refresh reads what is in force now, for If-Match.
  async function refresh() {
    const answer = await api('GET', '/rules/' + rule.rule + query(asked(scope)))
    etag = answer.etag
    return answer.data
  }

  // adopt shows what is in force now. What was entered stays.
  function adopt(next) {
    const mine = changed()
    Object.assign(rule, next, { own: next.own, set: next.set })
    for (const redraw of redraws) redraw()
    return mine
  }

  function keep(mine) {
    Object.assign(draft, mine)
    for (const about of rule.about) {
      inputs.get(about.name).forEach((input, i) => {
        const v = about.count > 1 ? draft[about.name][i] : draft[about.name]
        input.value = toShown(about, v)
        input.closest('.limit').querySelector('[type=range]').value = toShown(about, v)
      })
    }
  }

  function show() {
    for (const say of sayings.values()) say()
    back.hidden = !may || !rule.own || !Object.keys(rule.own).length
    moved()
  }

  async function send(limits, done) {
    clear()
    save.disabled = back.disabled = true
    try {
      const answer = await api('PUT', '/rules/' + rule.rule + query(asked(scope)), { limits, reason: reason.value.trim() || undefined }, { match: etag })
      etag = answer.etag
      adopt(answer.data)
      reason.value = ''
      show()
      saved?.(rule)
      notice(answer.status === 202 ? t.later : done)
    } catch (cause) {
      if (cause.status === 412) {
        try {
          keep(adopt(await refresh()))
          show()
          saved?.(rule)
          cause = new Problem(412, { detail: t.newer })
        } catch (other) {
          cause = other
        }
      }
      tell(cause)
    } finally {
      save.disabled = back.disabled = !may
    }
  }

  const node = el('form', {
    class: 'editor', novalidate: true, onsubmit: event => {
      event.preventDefault()
      const bad = [...inputs.values()].flat().find(i => i.getAttribute('aria-invalid') === 'true')
      if (bad) return bad.focus()
      const now = changed()
      if (!Object.keys(now).length) return fill(wrongAll, problem({ message: t.same }))
      send({ ...rule.own, ...now }, t.saved)
    },
  },
  el('div', { class: 'limits' }, rule.about.map(limit)), found.node,
  may ? el('div', { class: 'save' }, el('label', { class: 'field grow' }, el('span', {}, text.reason), reason), wrongAll, el('div', { class: 'row' }, save, reset, back))
    : el('p', { class: 'soft' }, t.houseOnly))

  const ready = refresh().then(next => { keep(adopt(next)); show() }, tell)
  return { node, ready, end: found.end }
}
