// Corrections of reps, and their undoing.
import { all, api, el, field, fill, form, fromUnit, load, notice, problem, toUnit, unit } from '../../core.js'
import { text } from '../../text.js'

const t = text.athlete.correct

// corrections is what can be done with the reps that are chosen. day has the reps, the
// sets they are in, the ids of those chosen, and again(), which reads it anew.
export function corrections(day) {
  const place = el('div')
  const buttons = el('div', { class: 'row' })
  const count = el('p', { 'aria-live': 'polite' })
  const chosen = () => day.reps.filter(r => day.chosen.has(r.id))
  const wrong = el('div')
  let shown = ''
  const act = (name, does) => el('button', {
    'data-focus': 'do ' + name, 'aria-expanded': does.opens ? String(shown === name) : undefined, onclick: async () => {
      if (does.opens) {
        const open = shown === name
        shown = open ? '' : name
        fill(place, !open && does.opens())
        place.querySelector('input, select')?.focus()
        for (const b of buttons.querySelectorAll('[aria-expanded]')) b.setAttribute('aria-expanded', String(b.dataset.focus === 'do ' + shown))
        return
      }
      for (const b of buttons.children) b.disabled = true
      try { fill(wrong); await does() } catch (cause) { fill(wrong, problem(cause)); for (const b of buttons.children) b.disabled = false }
    },
  }, t.do[name])
  const opening = draw => { const f = () => {}; f.opens = draw; return f }
  day.choose = () => {
    const reps = chosen()
    for (const id of day.chosen) if (!day.reps.some(r => r.id === id)) day.chosen.delete(id)
    fill(count, reps.length ? t.chosen(reps.length) : t.choose)
    fill(place)
    shown = ''
    if (!reps.length) return fill(buttons)
    const sets = new Set(reps.map(r => r.set_id).filter(Boolean))
    const inOne = sets.size === 1 && reps.every(r => r.set_id) && day.sets.find(s => s.id === reps[0].set_id).reps.length > reps.length
    fill(buttons,
      reps.some(r => r.valid) && act('out', () => change(day, t.did.out, reps.filter(r => r.valid).map(r => [r, { valid: false }]))),
      reps.some(r => !r.valid) && act('count', () => change(day, t.did.count, reps.filter(r => !r.valid).map(r => [r, { valid: true }]))),
      act('load', opening(() => loadForm(day, reps))), act('exercise', opening(() => exerciseForm(day, reps))), act('athlete', opening(() => athleteForm(day, reps))),
      inOne && act('split', () => change(day, t.did.split, reps.map(r => [r, { set: unused(day) }]))),
      sets.size > 1 && act('join', () => join(day, sets)),
      reps.some(r => r.state === 'corrected' || r.state === 'invalid') && act('withdraw', () => change(day, t.did.withdraw, reps.filter(r => r.state === 'corrected' || r.state === 'invalid').map(r => [r, { withdraw: ['valid', 'load_kg', 'exercise', 'athlete', 'set'] }]))))
  }
  day.choose()
  return el('div', { class: 'correct' }, count, buttons, place, wrong, undoList(day))
}

// unused is a number that no set of the day has.
const unused = day => Math.max(0, ...day.reps.map(r => r.set ?? 0)) + 1

// join gives whole sets one number.
function join(day, ids) {
  const sets = day.sets.filter(s => ids.has(s.id))
  const first = sets[0].reps[0]
  if (sets.some(s => s.reps.some(r => r.exercise !== first.exercise || r.load_kg !== first.load_kg))) throw new Error(t.cannotJoin)
  const number = first.set ?? unused(day)
  return change(day, t.did.join, sets.flatMap(s => s.reps).filter(r => r.set !== number).map(r => [r, { set: number }]))
}

// before is what brings a rep back to what it was: its values where a correction stood
// already, else what its device said.
function before(r, body) {
  const was = r.state === 'corrected' || r.state === 'invalid' ? r : {}
  const back = {}
  const withdraw = []
  for (const name of body.withdraw || Object.keys(body)) {
    if (was[name] === undefined) withdraw.push(name)
    else back[name] = was[name]
  }
  if (withdraw.length) back.withdraw = withdraw
  return back
}

// change corrects reps, one after the other. What was done before one failed is kept
// for undoing.
async function change(day, said, edits) {
  const done = []
  try {
    for (const [r, body] of edits) {
      await api('PATCH', '/reps/' + r.id, body)
      done.push([r.id, before(r, body)])
    }
    notice(said(done.length))
  } finally {
    if (done.length) {
      day.undone.unshift({ said: said(done.length), edits: done })
      day.chosen.clear()
      await settle(day)
    }
  }
}

// settle shows what has become of the sets, and of all that follows from them.
async function settle(day) {
  await day.page.refresh()
  await day.again()
}

function undoList(day) {
  if (!day.undone.length) return undefined
  return el('div', { class: 'undo' }, el('h3', {}, t.undo), el('ul', {}, day.undone.map(u => {
    const wrong = el('div')
    const button = el('button', {
      onclick: async () => {
        button.disabled = true
        try {
          while (u.edits.length) {
            const [id, body] = u.edits[0]
            await api('PATCH', '/reps/' + id, body)
            u.edits.shift()
          }
          day.undone.splice(day.undone.indexOf(u), 1)
          notice(t.undid(u.said))
          await settle(day)
          day.body.querySelector('button, input')?.focus()
        } catch (cause) {
          button.disabled = false
          fill(wrong, problem(cause))
        }
      },
    }, text.undo)
    return el('li', {}, u.said, ' ', button, wrong)
  })))
}

function loadForm(day, reps) {
  const kg = reps[0].load_kg
  return form({}, [field(t.load + ` (${unit()})`, el('input', { name: 'load_kg', type: 'number', step: 'any', min: 0, max: toUnit(1000), required: true, value: kg === undefined ? '' : +toUnit(kg).toFixed(2) }))],
    t.apply(reps.length), ({ load_kg }) => {
      const now = +fromUnit(+load_kg).toFixed(3)
      return change(day, n => t.did.load(n, load(now)), reps.map(r => [r, { load_kg: now }]))
    })
}

function exerciseForm(day, reps) {
  const { page } = day
  const select = el('select', { name: 'exercise', required: true }, el('option', { value: '' }, text.loading))
  page.catalogue().then(known => {
    const choices = [...known.values()].map(e => [e.id, e.name]).sort((a, b) => a[1].localeCompare(b[1]))
    if (reps[0].exercise && !known.has(reps[0].exercise)) choices.unshift([reps[0].exercise, reps[0].exercise])
    fill(select, choices.map(([id, name]) => el('option', { value: id, selected: id === reps[0].exercise }, name)))
  }, cause => fill(select, el('option', { value: '' }, cause.message)))
  return form({}, [field(t.exercise, select)],
    t.apply(reps.length), ({ exercise }) => change(day, n => t.did.exercise(n, page.exercise(exercise)), reps.map(r => [r, { exercise }])))
}

function athleteForm(day, reps) {
  const select = el('select', { name: 'athlete', required: true }, el('option', { value: '' }, text.loading))
  all('/athletes').then(known => fill(select, el('option', { value: '' }, t.chooseAthlete), known.filter(a => a.id !== day.page.id).map(a => el('option', { value: a.id }, a.name ? `${a.name} (${a.id})` : a.id))),
    cause => fill(select, el('option', { value: '' }, cause.message)))
  return form({}, [field(t.athlete, select, t.aboutAthlete)], t.apply(reps.length),
    ({ athlete }) => change(day, n => t.did.athlete(n, select.selectedOptions[0].textContent), reps.map(r => [r, { athlete }])))
}
