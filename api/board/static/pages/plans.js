// Everybody whose deadlifts are on hold or who follows the return plan: what is allowed
// today, what the next phase asks for, and the decisions.
import { all, api, badge, day, el, empty, fill, form, field, fromUnit, get, load, moment, notice, number, percent, problem, query, stream, style, unit } from '../core.js'
import { athletePicker } from '../limits.js'
import { text } from '../text.js'

const t = text.plans

export async function mount(root, { me }) {
  style('pages/plans.css')
  const list = el('div', { class: 'plans' })
  const count = el('p', { role: 'status', class: 'soft' })
  const fresh = el('span', { class: 'small soft', role: 'status' })
  const cards = new Map() // by athlete: {node, plan, judged, draw}
  let ended = false, turn = 0

  fill(root, el('div', { class: 'row' }, el('h1', { class: 'grow' }, text.nav.plans), fresh), el('p', {}, t.intro), count, list, begin())

  async function read() {
    const mine = ++turn
    const rows = (await all('/standings' + query({ site: me.site }))).filter(r => r.hold || r.phase || cards.get(r.id)?.busy())
    const read = []
    for (let i = 0; i < rows.length; i += 8) read.push(...await Promise.all(rows.slice(i, i + 8).map(facts)))
    if (ended || mine !== turn) return
    const rank = f => f.plan.hold ? ['red-flag', 'radicular', 'pain', 'coach'].indexOf(f.plan.hold.cause) : 10 + (f.plan.phase?.number || 0)
    read.sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name))
    const ids = new Set(read.map(f => f.id))
    for (const id of cards.keys()) if (!ids.has(id)) cards.delete(id)
    for (const f of read) {
      if (cards.has(f.id)) cards.get(f.id).take(f)
      else cards.set(f.id, card(f))
    }
    arrange(read.map(f => cards.get(f.id).node))
  }

  // arrange moves only what is not in its place, so that focus stays.
  function arrange(nodes) {
    fill(count, nodes.length ? t.onPlan(nodes.length) : '')
    if (!nodes.length) return fill(list, empty(el('p', {}, t.calm), el('p', {}, t.calmHint)))
    if (nodes.length === list.children.length && nodes.every((n, i) => n === list.children[i])) return
    const focus = document.activeElement
    list.replaceChildren(...nodes)
    if (list.contains(focus)) focus.focus()
  }

  async function facts(row) {
    const at = encodeURIComponent(row.id)
    const [plan, rule, alerts] = await Promise.all([get(`/athletes/${at}/plan`), row.phase ? get('/rules/return-plan' + query({ athlete: row.id })) : undefined,
      row.phase ? get('/alerts' + query({ athlete: row.id, rule: 'return-plan', limit: 50 })) : undefined])
    const judged = plan.phase && alerts?.items.find(a => a.evidence.unit === 'gate' && a.state !== 'retracted' && new Date(a.window.to) >= new Date(plan.phase.since))
    return { id: row.id, name: row.name || row.id, plan, limits: rule?.limits, judged }
  }

  function card(f) {
    const heading = el('h2', { class: 'grow', tabindex: -1, id: 'plan-' + f.id })
    const top = el('div'), verbs = el('div', { class: 'row' }), wrong = el('div'), history = el('div')
    const reason = el('input', { maxlength: 2000, autocomplete: 'off', name: 'reason' })
    const cleared = el('input', { type: 'checkbox', onchange: () => fill(wrong) })
    const clearedRow = el('label', { class: 'check' }, cleared, el('span', {}, t.cleared))
    const node = el('section', { class: 'card plan', 'aria-labelledby': heading.id }, heading, top,
      el('h3', {}, t.decide), el('label', { class: 'field' }, el('span', {}, text.reason), reason), clearedRow, wrong, verbs, el('details', {}, el('summary', {}, t.steps), history))
    let acting = false

    function draw() {
      const { plan } = f
      fill(heading, el('a', { href: '/athletes/' + f.id }, f.name))
      const a = plan.today
      fill(top,
        plan.hold && el('p', { class: 'critical' }, el('strong', {}, t.hold(day(plan.hold.since), day(plan.hold.planned))), ' – ', t.cause[plan.hold.cause] || plan.hold.cause),
        plan.phase && el('p', {}, el('strong', {}, t.phase(plan.phase.number, plan.phase.weeks, day(plan.phase.since))), plan.phase.repeats > 0 && ', ' + t.repeats(plan.phase.repeats)),
        el('h3', {}, t.today), el('p', { class: 'verdict' }, t.deadlifts[a.deadlifts] || a.deadlifts), el('p', {}, plan.hold || plan.phase ? a.reason : t.freed),
        el('ul', {}, a.max_load_kg !== undefined ? el('li', {}, t.load(load(a.max_load_kg), percent(a.max_share_pct))) : a.max_share_pct ? el('li', {}, t.share(percent(a.max_share_pct))) : null,
          a.min_reps > 1 && el('li', {}, t.reps(a.min_reps)), a.eccentric_s > 0 && el('li', {}, t.eccentric(number(a.eccentric_s, a.eccentric_s % 1 ? 1 : 0))),
          a.velocity_loss_pct > 0 && el('li', {}, t.loss(percent(a.velocity_loss_pct))), a.week_volume_kg !== undefined && el('li', {}, t.volume(load(a.week_volume_kg)))),
        plan.phase && f.limits && gate())
      const can = {
        start: !plan.phase, hold: plan.hold?.cause !== 'coach', release: Boolean(plan.hold),
        advance: plan.phase && plan.phase.number < 3, repeat: plan.phase, end: plan.phase,
      }
      clearedRow.hidden = plan.hold?.cause !== 'red-flag'
      const focused = document.activeElement?.dataset?.verb
      fill(verbs, Object.entries(can).filter(([, may]) => may).map(([verb]) => el('button', { 'data-verb': verb, 'aria-label': `${t.verbs[verb]}: ${f.name}`, onclick: () => decide(verb) }, t.verbs[verb])))
      if (focused && !document.activeElement?.dataset?.verb) verbs.querySelector(`[data-verb=${focused}]`)?.focus()
      fill(history, plan.steps.length ? el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': t.steps }, el('table', {}, el('thead', {}, el('tr', {}, [t.when, t.what, t.who, text.reason].map(h => el('th', { scope: 'col' }, h)))),
        el('tbody', {}, plan.steps.toReversed().map(s => el('tr', {}, el('td', {}, moment(s.at)), el('td', {}, t.verbs[s.verb] || s.verb, s.pre_injury_kg !== undefined && ` (${load(s.pre_injury_kg)})`), el('td', {}, s.by), el('td', {}, s.reason || '–'))))))
        : el('p', { class: 'soft' }, t.noSteps))
    }

    function gate() {
      const l = f.limits, n = f.plan.phase.number
      return el('details', { open: Boolean(f.judged) }, el('summary', {}, t.gate(n)),
        el('ul', {}, el('li', {}, t.gateDays(l.gate_days)), el('li', {}, t.gateSessions(l.gate_sessions)), el('li', {}, n === 3 ? t.gateNoPain(l.last_gate_days) : t.gatePain(l.gate_pain)),
          n > 1 && el('li', {}, t.gateStable(l.stable_reps)), el('li', {}, t.gateFlags), el('li', {}, t.gateRepeat(l.failed_repeats))),
        f.judged ? el('p', {}, badge(f.judged.severity), ' ', el('strong', {}, f.judged.title), '. ', f.judged.message, ' ', f.judged.advice, ' ', el('span', { class: 'soft small' }, t.judged(moment(f.judged.updated)))) : el('p', { class: 'soft' }, t.notJudged),
        el('p', { class: 'soft small' }, t.gateNote, ' ', el('a', { href: '/rules' + query({ athlete: f.id }) }, t.limits)))
    }

    async function decide(verb) {
      fill(wrong)
      if (verb === 'release' && f.plan.hold?.cause === 'red-flag' && !cleared.checked) {
        fill(wrong, problem({ message: t.clearedFirst }))
        return cleared.focus()
      }
      acting = true
      for (const b of verbs.children) b.disabled = true
      try {
        const { data, status } = await api('POST', `/athletes/${encodeURIComponent(f.id)}/plan${verb === 'start' ? '' : '/' + verb}`, { reason: reason.value.trim() || undefined })
        reason.value = ''
        cleared.checked = false
        f = { ...f, plan: data, judged: undefined }
        draw()
        heading.focus()
        notice(status === 202 ? text.rules.later : t.done[verb])
        soon()
      } catch (cause) {
        fill(wrong, problem(cause))
        for (const b of verbs.children) b.disabled = false
      } finally {
        acting = false
      }
    }

    draw()
    const look = f => JSON.stringify({ ...f, plan: { ...f.plan, at: '' } })
    return {
      node,
      // Who was just decided about stays in sight.
      busy: () => acting || reason.value !== '' || node.contains(document.activeElement),
      take(next) {
        if (acting || look(next) === look(f)) return
        f = next
        draw()
      },
    }
  }

  function begin() {
    const who = athletePicker(t.athlete, { site: me.site }, undefined, 'athlete')
    const weight = name => el('input', { name, inputmode: 'decimal', autocomplete: 'off' })
    const kg = (value, name) => {
      if (!value.trim()) return undefined
      const n = Number(value.replace(',', '.'))
      if (!Number.isFinite(n)) throw Object.assign(new Error(text.rules.number), { field: name })
      return Math.round(fromUnit(n) * 1000) / 1000
    }
    const send = path => async (v, node) => {
      const chosen = await who.look()
      if (!chosen) throw Object.assign(new Error(t.noAthlete), { field: 'athlete' })
      const body = { reason: v.reason.trim() || undefined }
      if (!path) Object.assign(body, { pre_injury_kg: kg(v.pre_injury_kg, 'pre_injury_kg'), pre_injury_week_kg: kg(v.pre_injury_week_kg, 'pre_injury_week_kg') })
      const { data } = await api('POST', `/athletes/${encodeURIComponent(chosen)}/plan${path}`, body)
      cards.delete(data.athlete) // drawn anew
      node.reset()
      notice(t.done[path ? 'hold' : 'start'])
      await read()
      document.getElementById('plan-' + data.athlete)?.focus()
    }
    let path = ''
    const node = form({}, [who, field(t.maximum(unit()), weight('pre_injury_kg'), t.numbersHint), field(t.week(unit()), weight('pre_injury_week_kg')),
      field(text.reason, el('input', { name: 'reason', maxlength: 2000, autocomplete: 'off' }))], t.verbs.start, (v, node) => send(path)(v, node).finally(() => { path = '' }))
    node.append(' ', el('button', { type: 'button', onclick: () => { path = '/hold'; node.requestSubmit() } }, t.verbs.hold))
    return el('section', { class: 'card begin', 'aria-labelledby': 'begin' }, el('h2', { id: 'begin' }, t.begin), node)
  }

  let dirty
  const soon = () => { dirty ??= setTimeout(() => { dirty = undefined; read().catch(() => {}) }, 3000) }
  const concerns = new Set(['hold', 'red-flag', 'radicular', 'pain-zone', 'return-plan'])
  const stop = stream('/alerts/stream' + query({ site: me.site }), { alert: a => { if (concerns.has(a.rule)) soon() }, reset: soon }, state => {
    fill(fresh, text.fresh[state])
    if (state === 'live') soon()
  })
  const every = setInterval(soon, 60000)
  await read().catch(cause => fill(list, problem(cause)))
  return () => { ended = true; stop(); clearInterval(every); clearTimeout(dirty) }
}
