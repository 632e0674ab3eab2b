// A session: every set and rep of a day, and where a rule spoke.
import { all, clock, el, empty, fill, load, number, percent, problem, speed, svg } from '../../core.js'
import { text } from '../../text.js'
import { card } from './alerts.js'
import { corrections } from './correct.js'

const t = text.athlete.day
const HOUR = 36e5

export function drawDay(page) {
  const sessions = page.data.sessions
  if (!page.date) page.date = sessions.at(-1)?.date || ''
  const body = el('div')
  const i = sessions.findIndex(s => s.date === page.date)
  const to = (s, label, sign) => el('button', { 'aria-label': label, disabled: !s, onclick: () => page.showDay(s.date) }, sign)
  const earlier = sessions.findLast(s => s.date < page.date), later = sessions.find(s => s.date > page.date)
  const pick = el('input', { type: 'date', value: page.date, max: page.dateOf(Date.now()), 'aria-label': t.pick, onchange: event => event.target.value && page.showDay(event.target.value) })
  const s = sessions[i]
  const day = { page, body, undone: page.undone ||= [] }
  if (page.date) draw(day)
  return [
    el('div', { class: 'row' }, to(earlier, t.earlier, '‹'), pick, to(later, t.later, '›'),
      s && el('span', {}, t.summary(s.sets, s.reps, load(Math.round(s.volume_kg)), s.top_load_kg === undefined ? undefined : load(s.top_load_kg)))),
    page.date ? body : empty(t.none),
  ]
}

// draw reads the day's reps and shows them; what was chosen stays chosen.
async function draw(day) {
  const { page, body } = day
  const date = page.date
  if (!body.childElementCount) fill(body, el('p', { class: 'loading' }, text.loading))
  let reps
  try {
    // Whatever the time zone, a date lies within these; those of other dates are left out.
    const at = Date.parse(date + 'T00:00:00Z')
    const found = await all(`${page.path}/reps?from=${new Date(at - 14 * HOUR).toISOString()}&to=${new Date(at + 38 * HOUR).toISOString()}`, { signal: page.signal })
    reps = found.filter(r => page.dateOf(r.time) === date)
  } catch (cause) {
    if (!page.signal.aborted) fill(body, problem(cause), el('button', { onclick: () => draw(day) }, text.retry))
    return
  }
  if (page.date !== date || page.signal.aborted) return
  day.reps = reps
  day.sets = setsOf(page, reps)
  day.chosen ||= new Set()
  day.boxes = new Map()
  day.again = () => draw(day)
  const tools = page.coach && reps.length > 0 && corrections(day)
  const focused = body.contains(document.activeElement) && document.activeElement.dataset.focus
  fill(body, page.at('session', date).map(a => card(page, a)), tools || (page.coach && day.undone.length > 0 && corrections(day)),
    reps.length ? day.sets.map(set => drawSet(day, set)) : el('p', { class: 'empty' }, t.noReps))
  if (focused) body.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus()
}

// setsOf puts reps together by set, in the order of time; what counts for nothing is
// shown among them, where it was.
function setsOf(page, reps) {
  const known = new Map(page.data.sets.map(s => [s.id, s]))
  const sets = []
  for (const r of reps) {
    let set = r.set_id ? sets.findLast(s => s.id === r.set_id) : sets.at(-1)?.id ? undefined : sets.at(-1)
    if (!set) sets.push(set = { id: r.set_id, reps: [], of: known.get(r.set_id) })
    set.reps.push(r)
  }
  return sets
}

function drawSet(day, set) {
  const { page } = day
  const r = set.reps[0], best = Math.max(...set.reps.filter(r => r.valid && !r.failed).map(r => r.mean_velocity_mps))
  const loss = set.of?.velocity_loss_pct
  const title = set.id ? t.set(page.exercise(r.exercise), load(r.load_kg), r.set) : t.counted
  const whole = page.coach && el('input', {
    type: 'checkbox', 'aria-label': t.chooseSet(title, clock(r.time)), 'data-focus': 'set ' + r.id, checked: set.reps.every(r => day.chosen.has(r.id)),
    onchange: event => { for (const r of set.reps) choose(day, r, event.target.checked) },
  })
  const fast = Math.max(0.1, ...set.reps.map(r => r.mean_velocity_mps))
  return el('section', { class: 'set', 'aria-label': title },
    el('h3', { class: 'row' }, whole, el('span', {}, title), r.warmup && set.id && el('span', { class: 'soft small' }, t.warmup), set.id && loss !== undefined && el('span', { class: 'small soft' }, t.loss(percent(loss)))),
    page.at('set', set.id).map(a => card(page, a)),
    el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': title }, el('table', { class: 'reps' },
      el('thead', {}, el('tr', {}, page.coach && el('th', { scope: 'col' }, el('span', { class: 'hidden' }, t.choose)), t.head.map(h => el('th', { scope: 'col' }, h)))),
      el('tbody', {}, set.reps.map((r, i) => {
        const box = page.coach && el('input', { type: 'checkbox', checked: day.chosen.has(r.id), 'data-focus': r.id, 'aria-label': t.chooseRep(i + 1, clock(r.time)), onchange: event => choose(day, r, event.target.checked) })
        if (box) day.boxes.set(r.id, box)
        return el('tr', { class: r.valid && r.state !== 'ghost' ? '' : 'out', 'data-rep': r.id }, box && el('td', {}, box),
          el('th', { scope: 'row', class: 'number' }, String(r.rep ?? i + 1)), el('td', {}, clock(r.time), ':', new Date(r.time).toISOString().slice(17, 19)),
          el('td', {}, bar(r.mean_velocity_mps / fast, r.mean_velocity_mps === best), ' ', speed(r.mean_velocity_mps)), el('td', { class: 'number' }, r.valid && best > 0 && !r.failed ? percent(100 * (1 - r.mean_velocity_mps / best)) : '–'),
          el('td', { class: 'number' }, speed(r.peak_velocity_mps)), el('td', { class: 'number' }, r.rom_m === undefined ? '–' : number(r.rom_m, 2) + ' m'),
          !set.id && el('td', {}, page.exercise(r.exercise)), !set.id && el('td', { class: 'number' }, load(r.load_kg)),
          el('td', {}, [t.states[r.state] || r.state, r.failed && t.failed, r.source && r.source !== 'device' && t.sources[r.source]].filter(Boolean).join(', ')))
      })))))
}

function choose(day, r, on) {
  if (on) day.chosen.add(r.id)
  else day.chosen.delete(r.id)
  const box = day.boxes.get(r.id)
  if (box) box.checked = on
  day.choose?.()
}

function bar(share, best) {
  const rect = svg('rect', { x: 0, y: 1, width: Math.max(1, share * 60), height: 10, rx: 2 })
  rect.style.fill = best ? 'var(--good)' : 'var(--accent)'
  return svg('svg', { width: 60, height: 12, 'aria-hidden': 'true' }, rect)
}
