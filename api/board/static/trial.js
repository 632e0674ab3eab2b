// A trial asks the server what other limits of a rule would have found, and shows it
// beside what the limits in force find.
import { all, api, badge, day, el, fill, get, learnNames, named, number, problem, query, severities } from './core.js'
import { text } from './text.js'

const t = text.backtest
const hour = 3600 * 1000

// wait is how long a slider has to rest before it is asked about, and poll how often
// the answer is looked for.
const wait = 400, poll = 250

// trial returns its element, ask(limits) to ask about all limits of the rule ({}: those
// in force, undefined: nothing that can be asked), and end. Only one question is under
// way at a time; the newest follows.
export function trial(rule, scope, { whole, weeks = 8 } = {}) {
  const to = Math.floor(Date.now() / 60000) * 60000 // one end, so that the same question has the same answer
  const progress = el('p', { class: 'soft small', role: 'status' })
  const result = el('div', { class: 'found' })
  const heading = el('h3', {})
  const span = el('select', { onchange: () => { weeks = Number(span.value); name(); soon(0) } },
    [1, 2, 4, 8, 12, 26].map(n => el('option', { value: n, selected: n === weeks }, n)))
  const node = el('section', { class: 'trial' }, el('div', { class: 'row' }, heading, whole && el('label', { class: 'small' }, t.weeks + ' ', span)), progress, result)
  const ending = new AbortController()
  let limits, timer, busy = false, again = false

  const name = () => fill(heading, t.title(weeks))
  name()

  function soon(after = wait) {
    clearTimeout(timer)
    timer = setTimeout(run, after)
  }

  const pause = ms => new Promise(done => { setTimeout(done, ms); ending.signal.addEventListener('abort', done, { once: true }) })

  async function run() {
    if (!limits || ending.signal.aborted) return
    if (busy) { again = true; return }
    busy = true
    again = false
    try {
      await answer(limits)
    } catch (cause) {
      if (!ending.signal.aborted) {
        fill(progress)
        fill(result, problem(cause))
      }
    } finally {
      busy = false
      if (again) soon(0)
    }
  }

  async function answer(asked) {
    const question = {
      from: new Date(to - weeks * 7 * 24 * hour).toISOString(), to: new Date(to).toISOString(), site: scope.site || undefined,
      // All limits of the rule: beside older or nearer ones a single limit might make no sense.
      rules: Object.keys(asked).length ? { [rule.rule]: asked } : undefined,
    }
    let job
    for (;;) {
      try {
        job = (await api('POST', '/backtests', question, { signal: ending.signal })).data
        break
      } catch (cause) {
        if (cause.status !== 429) throw cause
        fill(progress, t.busy)
        await pause(3000)
        if (again || ending.signal.aborted) return
      }
    }
    while (job.state === 'waiting' || job.state === 'running') {
      fill(progress, job.state === 'waiting' ? t.waiting : t.running(job.done, job.total))
      await pause(poll)
      if (ending.signal.aborted) return
      job = await get('/backtests/' + job.id, { signal: ending.signal })
    }
    if (again || !limits || ending.signal.aborted) return // older than what is asked now
    if (job.state === 'failed') throw new Error(t.failed(job.failure))
    const report = job.report
    const one = scope.athlete || scope.team
    let tallies = []
    if (one || whole) tallies = await all(`/backtests/${job.id}/athletes`, { signal: ending.signal })
    let rules = report.rules, examples = report.examples
    if (one) {
      const ids = scope.athlete ? new Set([scope.athlete]) : new Set((await all('/athletes' + query({ site: scope.site, team: scope.team }), { signal: ending.signal })).map(a => a.id))
      tallies = tallies.filter(x => ids.has(x.athlete))
      examples = examples.filter(x => ids.has(x.athlete))
      rules = report.rules.map(r => tallies.filter(x => x.rule === r.rule).reduce(plus, zero(r.rule)))
    }
    if (whole) await learnNames()
    if (ending.signal.aborted) return
    fill(progress)
    fill(result, table(rules.find(r => r.rule === rule.rule) || zero(rule.rule), !question.rules), also(rules),
      whole && question.rules && newest(examples.filter(e => ['added', 'gone', 'changed'].includes(e.kind))),
      whole && question.rules && people(tallies.filter(x => x.rule === rule.rule && x.added + x.gone + x.changed)),
      whole && el('p', { class: 'soft small' }, one ? t.own : t.basis(number(report.athletes), number(report.reps)), ' ', t.cannot))
  }

  function table(tally, plain) {
    const seen = severities.filter(s => tally.fired[s] || tally.would[s])
    const line = (label, fired, would, heavy) => el('tr', { class: heavy && 'heavy' }, el('th', { scope: 'row' }, label), el('td', { class: 'number' }, number(fired)),
      !plain && [el('td', { class: 'number' }, number(would)), el('td', { class: 'number' }, would === fired ? '0' : (would > fired ? '+' : '−') + number(Math.abs(would - fired)))])
    return [
      el('p', { class: 'sum', role: 'status' }, plain ? [t.logged(tally.logged, tally.unsupported, tally.missing), ' ', t.ask]
        : [el('strong', {}, t.summary(tally.fired.total, tally.would.total, push(tally.fired), push(tally.would))), el('br'), t.parts(tally.kept, tally.changed, tally.added, tally.gone)]),
      el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': t.caption }, el('table', {}, el('caption', { class: 'small soft' }, t.caption), el('thead', {}, el('tr', {}, [t.severity, t.fired, ...(plain ? [] : [t.would, t.change])].map((h, i) => el('th', { scope: 'col', class: i && 'number' }, h)))),
        el('tbody', {}, seen.map(s => line(badge(s), tally.fired[s] || 0, tally.would[s] || 0)), line(t.total, tally.fired.total, tally.would.total, true), line(t.push, push(tally.fired), push(tally.would), true)))),
      el('p', { class: 'soft small' }, t.pushHint),
    ]
  }

  function also(rules) {
    const others = rules.filter(r => r.rule !== rule.rule && r.added + r.gone + r.changed)
    return others.length > 0 && [el('h4', {}, t.also), el('ul', {}, others.map(r => el('li', {}, text.rules.name[r.rule] || r.rule, ': ', t.summary(r.fired.total, r.would.total, push(r.fired), push(r.would)))))]
  }

  const newest = examples => [el('h4', {}, t.examples), examples.length ? el('ul', { class: 'examples' }, examples.map(e => el('li', {}, el('strong', {}, t.kind[e.kind] || e.kind), ' · ',
    el('a', { href: '/athletes/' + e.athlete }, named(e.athlete)), ' · ', day(e.window.from), ' · ', (e.would || e.fired).title, ' ', e.fired && badge(e.fired.severity), e.fired && e.would && ' → ', e.would && badge(e.would.severity)))) : el('p', {}, t.noDifference)]

  const people = tallies => tallies.length > 0 && [el('h4', {}, t.byAthlete), el('ul', {}, tallies.map(x => el('li', {}, el('a', { href: '/athletes/' + x.athlete }, named(x.athlete)), ': ', t.summary(x.fired.total, x.would.total, push(x.fired), push(x.would)))))]

  return {
    node,
    ask(asked) {
      const first = !limits
      limits = asked && structuredClone(asked)
      if (limits) return soon(first ? 0 : wait)
      clearTimeout(timer)
      fill(result)
      fill(progress, t.first)
    },
    end() { clearTimeout(timer); ending.abort() },
  }
}

const push = counts => (counts.warning || 0) + (counts.critical || 0) + (counts.urgent || 0)
const zero = rule => ({ rule, fired: { total: 0 }, would: { total: 0 }, kept: 0, changed: 0, added: 0, gone: 0, logged: 0, unsupported: 0, missing: 0 })

function plus(a, b) {
  const sum = { ...a, fired: { ...a.fired }, would: { ...a.would } }
  for (const k of ['kept', 'changed', 'added', 'gone', 'logged', 'unsupported', 'missing']) sum[k] += b[k]
  for (const k of ['total', ...severities]) {
    sum.fired[k] = (sum.fired[k] || 0) + (b.fired[k] || 0)
    sum.would[k] = (sum.would[k] || 0) + (b.would[k] || 0)
  }
  return sum
}
