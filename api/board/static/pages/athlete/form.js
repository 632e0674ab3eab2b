// The form of an athlete's profile: every field, for enrolling and for changing.
import { all, el, field, fill, form, fromUnit, toUnit, unit } from '../../core.js'
import { text } from '../../text.js'

const t = text.athlete.form

// profileForm makes the form. athlete is what is stored ({} for a new one), send gets
// the body to send, and newest, where another has changed the profile meanwhile, tells
// what is stored now.
export async function profileForm({ athlete, exercises, me, label, send, newest, close, fresh }) {
  const [sites, teams] = await Promise.all([all('/sites'), all('/teams')])
  let stored = athlete
  const site = athlete.site || me.site || sites[0]?.id || ''
  const known = sites.some(s => s.id === site) || !site ? sites : [...sites, { id: site }]
  const teamBox = el('fieldset', {}, el('legend', {}, t.teams))
  const siteInput = known.length
    ? el('select', { name: 'site', required: true, onchange: () => drawTeams() }, known.map(s => el('option', { value: s.id, selected: s.id === site }, s.name ? `${s.name} (${s.id})` : s.id)))
    : el('input', { name: 'site', required: true, pattern: '[a-z0-9][a-z0-9_\\-]{0,63}', value: site })
  const joined = new Set(athlete.teams || [])
  const drawTeams = () => {
    const here = teams.filter(x => x.site === siteInput.value)
    fill(teamBox, el('legend', {}, t.teams), here.length === 0 && el('span', { class: 'soft' }, t.noTeams), here.map(x => el('label', { class: 'choice' }, el('input', {
      type: 'checkbox', checked: joined.has(x.id), onchange: event => { if (event.target.checked) joined.add(x.id); else joined.delete(x.id) },
    }), ' ', x.name || x.id)))
  }
  drawTeams()
  const input = (name, props = {}) => el('input', { name, value: athlete[name] ?? '', ...props })
  const choice = (name, usual) => el('select', { name }, ['', ...Object.keys(t.choices[name])].map(v => el('option', { value: v, selected: (athlete[name] || '') === v }, v ? t.choices[name][v] : usual)))
  const kilograms = (name, most) => input(name, { type: 'number', step: 'any', min: toUnit(1), max: toUnit(most), value: shown(athlete[name]) })
  const zones = el('datalist', { id: 'zones' }, Intl.supportedValuesOf('timeZone').map(z => el('option', { value: z })))
  const maxima = byExercise('maximum_kg', athlete.maximum_kg, exercises, { show: shown, read: v => kg(v), most: toUnit(1000), unit: unit() })
  const slowest = byExercise('min_velocity_mps', athlete.min_velocity_mps, exercises, { show: v => v, read: v => +v, most: 4, unit: 'm/s' })
  const deloads = weeks('deloads', athlete.deloads), tests = weeks('tests', athlete.tests)
  const reminders = el('input', { type: 'checkbox', checked: !!athlete.reminders })
  const fields = [
    fresh && field(t.id, input('id', { pattern: '[a-z0-9][a-z0-9_\\-]{0,63}', maxlength: 64, autocomplete: 'off' }), t.aboutId),
    field(t.name, input('name', { maxlength: 200, autocomplete: 'off' })),
    field(text.site, siteInput), teamBox,
    field(t.goal, choice('goal', t.usualGoal), t.aboutGoal),
    field(t.unit, choice('unit', t.usualUnit)),
    field(t.zone, input('zone', { list: 'zones', maxlength: 64, placeholder: 'Europe/Berlin' }), t.aboutZone), zones,
    field(t.language, input('language', { maxlength: 35, pattern: '[a-z]{2,3}(-[A-Za-z0-9]{2,8})*', placeholder: 'en' })),
    field(t.born, input('born', { type: 'number', min: 1900, max: 2100, value: athlete.born || '' })),
    maxima.node, slowest.node,
    field(`${t.preInjury} (${unit()})`, kilograms('pre_injury_kg', 1000), t.aboutPreInjury),
    field(`${t.preInjuryWeek} (${unit()})`, kilograms('pre_injury_week_kg', 1e6)),
    deloads.node, tests.node,
    el('label', { class: 'choice' }, reminders, ' ', t.reminders),
    field(text.reason, el('textarea', { name: 'reason', rows: 2, maxlength: 2000 }), t.aboutReason),
  ]
  const read = values => {
    const body = { site: values.site, teams: [...joined].filter(id => teams.some(x => x.id === id && x.site === values.site)), reminders: reminders.checked, deloads: deloads.read(), tests: tests.read(), maximum_kg: maxima.read(), min_velocity_mps: slowest.read() }
    for (const name of ['name', 'goal', 'unit', 'zone', 'language']) body[name] = values[name].trim()
    body.born = +values.born || undefined
    for (const name of ['pre_injury_kg', 'pre_injury_week_kg']) body[name] = values[name] === '' ? undefined : values[name] === String(shown(athlete[name])) ? athlete[name] : kg(values[name])
    if (values.reason.trim()) body.reason = values.reason.trim()
    if (fresh) {
      if (values.id.trim()) body.id = values.id.trim()
      return Object.fromEntries(Object.entries(body).filter(([, v]) => v !== undefined && v !== '' && v !== false && !(Array.isArray(v) && !v.length) && !(v.constructor === Object && !Object.keys(v).length)))
    }
    for (const name in body) if (body[name] === undefined || body[name] === '') body[name] = null
    return body
  }
  const node = form({ class: 'profile' }, fields, label, async (values, node) => {
    try {
      await send(read(values))
    } catch (cause) {
      if (cause.status === 412 && newest) {
        const now = await newest()
        const differ = Object.keys({ ...now, ...stored }).filter(k => !['revision', 'updated', 'by', 'reason'].includes(k) && JSON.stringify(now[k]) !== JSON.stringify(stored[k]))
        stored = now
        throw new Error(t.changed(now.by, differ.map(k => `${t.names[k] || k}: ${JSON.stringify(now[k] ?? null)}`).join('; ')), { cause })
      }
      cause.field = inputOf(node, cause.field)
      throw cause
    }
  })
  if (close) node.append(' ', el('button', { type: 'button', onclick: close }, text.cancel))
  return node

  function kg(v) { return +fromUnit(+v).toFixed(3) }
  function shown(v) { return v === undefined ? '' : +toUnit(v).toFixed(2) }
}

// inputOf is the name of the input that a field of the API is typed in.
function inputOf(form, name = '') {
  const names = [...form.elements].map(e => e.name)
  return [name, name.replace('[', '.').replace(']', ''), name.split(/[.[]/)[0], name.split(/[.[]/)[0] + '.0'].find(n => n && names.includes(n))
}

// byExercise is a list of values, one for each of some exercises.
function byExercise(name, values, exercises, { show, read, most, unit }) {
  const rows = el('div')
  const add = (exercise = '', value) => {
    const n = rows.childElementCount
    const select = el('select', { 'aria-label': t.exercise, name: `${name}.${exercise || n}` }, el('option', { value: '' }, t.chooseExercise),
      [...new Set([exercise, ...exercises.keys()])].filter(Boolean).map(id => el('option', { value: id, selected: id === exercise }, exercises.get(id)?.name || id)))
    const number = el('input', { type: 'number', step: 'any', min: 0.01, max: most, value: value === undefined ? '' : show(value), 'aria-label': `${t.names[name]} (${unit})` })
    const row = el('div', { class: 'row' }, select, number, ' ', unit, el('button', { type: 'button', onclick: () => { row.remove(); more.focus() }, 'aria-label': t.removeOf(t.names[name]) }, text.remove))
    Object.assign(row, { was: value, exercise: () => select.value, value: () => number.value })
    rows.append(row)
    return select
  }
  for (const [exercise, value] of Object.entries(values || {})) add(exercise, value)
  const more = el('button', { type: 'button', onclick: () => add().focus() }, t.addTo(t.names[name]))
  return {
    node: el('fieldset', {}, el('legend', {}, t.names[name]), rows, more),
    read: () => Object.fromEntries([...rows.children].filter(r => r.exercise() && r.value() !== '').map(r => [r.exercise(), String(show(r.was ?? NaN)) === r.value() ? r.was : read(r.value())])),
  }
}

// weeks is a list of ISO weeks.
function weeks(name, values) {
  const rows = el('div')
  const add = (value = '') => {
    const input = el('input', { name: `${name}.${rows.childElementCount}`, value, pattern: '20\\d\\d-W(0[1-9]|[1-4]\\d|5[0-3])', placeholder: '2026-W47', title: t.weekForm, 'aria-label': t.names[name] })
    const row = el('div', { class: 'row' }, input, el('button', { type: 'button', onclick: () => { row.remove(); more.focus() }, 'aria-label': t.removeOf(t.names[name]) }, text.remove))
    rows.append(row)
    return input
  }
  for (const week of values || []) add(week)
  const more = el('button', { type: 'button', onclick: () => add().focus() }, t.addTo(t.names[name]))
  return { node: el('fieldset', {}, el('legend', {}, t.names[name]), rows, more, el('p', { class: 'small soft' }, t.weekForm)), read: () => [...rows.querySelectorAll('input')].map(i => i.value.trim()).filter(Boolean) }
}
