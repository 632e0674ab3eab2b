// A rack of the wall: who is on it, the set that is being lifted, and its tile.
import { el, load, number, speed, svg } from '../core.js'
import { text } from '../text.js'

const say = text.wall
const LIFTING = 20e3 // a rep is this recent while somebody lifts
const SET_OVER = 90e3 // without a set number a longer gap begins a new set
const SAME_SET = 30 * 60e3 // with one, this
const IDLE = 30 * 60e3 // after this nobody is taken to be here
const REPS_KEPT = 60, BARS = 20

export class Rack {
  reps = [] // of the newest set, in the order of time
  shown = {} // what the tile says, to change only what is new

  // describe takes what the list of devices says.
  describe(d) {
    this.site = d.site
    this.device = d.device
    this.rack = d.rack
    this.label = d.rack || d.name || d.device
    this.takeDevice(d)
    if (!d.assignment && this.assignment?.athlete) this.assignment = { at: Date.now() } // it has ended
  }

  takeDevice(d) {
    if (d.status) { this.status = d.status.state; this.statusAt = Date.parse(d.status_at) }
    if (d.assignment) this.assignment = { ...d.assignment, at: Date.parse(d.assignment.since) }
    return true
  }

  compare(other) {
    if (!this.rack !== !other.rack) return this.rack ? -1 : 1
    return this.label.localeCompare(other.label, 'en', { numeric: true }) || (this.site + '/' + this.device).localeCompare(other.site + '/' + other.device, 'en', { numeric: true })
  }

  forget() {
    this.reps = []
    this.set = undefined
  }

  // takeRep reports whether the rep changes what is shown.
  takeRep(r, now) {
    const at = Date.parse(r.time)
    const known = this.reps.findIndex(k => k.id === r.id)
    if (known >= 0) this.reps.splice(known, 1)
    const last = this.reps.at(-1)
    if (!r.valid || r.historical || now - at > IDLE) return known >= 0
    const rep = {
      id: r.id, at, athlete: r.athlete, exercise: r.exercise, load: r.load_kg, set: r.set, number: r.rep,
      speed: r.mean_velocity_mps, failed: r.failed, warmup: r.warmup,
    }
    if (last && this.begins(last, rep)) {
      if (at < last.at) return known >= 0
      this.forget()
    }
    if (this.set && at < this.set.from) return known >= 0
    const after = this.reps.findIndex(k => k.at > at)
    this.reps.splice(after < 0 ? this.reps.length : after, 0, rep)
    if (this.reps.length > REPS_KEPT) this.reps.shift()
    return true
  }

  // begins tells whether two reps are of different sets. The server's word on it
  // follows with the set.
  begins(a, b) {
    return a.athlete !== b.athlete || a.exercise !== b.exercise || a.load !== b.load || a.set !== b.set ||
      Math.abs(b.at - a.at) > (b.set === undefined ? SET_OVER : SAME_SET)
  }

  // takeSet follows how the server cuts the reps into sets.
  takeSet(s) {
    const last = this.reps.at(-1)
    if (!last || last.athlete !== s.athlete || last.exercise !== s.exercise || s.site !== this.site) return false
    const from = Date.parse(s.from) - 5, to = Date.parse(s.to) + 5
    if (last.at < from || last.at > to) return false
    this.set = { from, number: s.set, warmup: s.warmup }
    this.reps = this.reps.filter(r => r.at >= from)
    return true
  }

  // assigned is the assignment, where it is newer than the newest rep.
  assigned() {
    const last = this.reps.at(-1)
    return this.assignment && (!last || this.assignment.at > last.at) ? this.assignment : undefined
  }

  athlete() { return (this.assigned() || this.reps.at(-1))?.athlete }
  exercise() { return (this.assigned() || this.reps.at(-1))?.exercise }

  // judge follows the set as the rule velocity-loss does: failed reps and those of a
  // warm-up are left out, and the loss is that to the fastest rep so far.
  judge(who, exercise) {
    const limits = who?.limits
    const pct = !limits ? undefined : exercise?.group === 'deadlift_family' ? limits.deadlift_warning_pct
      : who.goal === 'speed' ? limits.speed_pct : who.goal === 'hypertrophy' ? limits.hypertrophy_pct : limits.strength_pct
    let best = 0, n = 0, over = 0, loss, last
    for (const r of this.reps) {
      if (r.failed || r.warmup) continue
      n++
      best = Math.max(best, r.speed)
      last = r
      loss = 100 * (best - r.speed) / best
      // A limit is reached by equality, up to rounding.
      over = pct !== undefined && n >= limits.first_rep && best - r.speed >= limits.min_drop_mps - 1e-9 && loss >= pct - 1e-9 ? over + 1 : 0
    }
    return { best, loss, over, last, line: pct === undefined || !best ? undefined : best * (1 - pct / 100) }
  }

  stateAt(now, over) {
    const last = this.reps.at(-1)
    if (this.status === 'lost') return 'lost'
    if (this.assigned()) return this.assigned().athlete && now - this.assigned().at < IDLE ? 'ready' : 'free'
    if (!last || now - last.at > IDLE) return 'free'
    if (over && now - last.at < SET_OVER) return over > 1 ? 'stop' : 'slow'
    return now - last.at < LIFTING ? 'lifting' : 'resting'
  }

  // aged reports whether the passing of time alone changes what is shown.
  aged(now) {
    return this.state !== undefined && this.state !== 'free' && (this.stateAt(now, this.over) !== this.state || this.state === 'resting' || this.state === 'lost')
  }

  get node() { return this.tile ??= this.build() }

  build() {
    const n = this.nodes = {
      label: el('span', { class: 'label' }), who: el('span', { class: 'who' }), state: el('span', { class: 'state' }), what: el('p', { class: 'what' }),
      loss: el('b'), lossOf: el('span', { class: 'of' }), rep: el('p', { class: 'rep' }),
      line: svg('line', { class: 'line', x1: 0, x2: 100, 'vector-effect': 'non-scaling-stroke' }),
      bars: Array.from({ length: BARS }, () => svg('rect', { width: 0, height: 0 })),
    }
    n.chart = svg('svg', { viewBox: '0 0 100 50', preserveAspectRatio: 'none', role: 'img' }, n.bars, n.line)
    return el('article', { class: 'rack' },
      el('div', { class: 'top' }, el('h2', {}, n.label, ' ', n.who), n.state), n.what, n.chart, el('p', { class: 'loss' }, n.loss, ' ', n.lossOf), n.rep)
  }

  // put writes a text where it is another one.
  put(name, value) {
    if (this.shown[name] === value) return
    this.shown[name] = value
    this.nodes[name].textContent = value
  }

  draw(now, who, exercise) {
    const tile = this.node, assigned = this.assigned(), last = this.reps.at(-1)
    const { best, loss, over, last: judged, line } = this.judge(who, exercise)
    this.over = over
    this.state = this.stateAt(now, over)
    const empty = this.state === 'free', begun = !assigned && last && !empty
    if (this.shown.is !== this.state) tile.dataset.state = this.shown.is = this.state
    this.put('label', this.label)
    const on = assigned || last
    this.put('who', empty ? '' : on ? on.athlete ? who?.name || on.athlete : text.nobody : '')
    const time = this.state === 'lost' ? now - this.statusAt : begun ? now - last.at : 0
    this.put('state', say.state[this.state] + (this.state === 'resting' || this.state === 'lost' && time > 0 ? ' ' + clockOf(time) : ''))
    const weight = assigned ? assigned.load_kg : last?.load
    const set = assigned ? assigned.set : this.set?.number ?? last?.set
    const warm = assigned ? assigned.warmup : last?.warmup
    this.put('what', empty || !on ? '' : [exercise?.name || on.exercise, weight !== undefined && load(weight), warm ? say.warmUp(set) : set !== undefined && say.set(set)].filter(Boolean).join(' · '))
    this.put('loss', begun && judged ? number(loss) + ' %' : '')
    this.put('lossOf', begun && judged ? say.slower : '')
    this.put('rep', begun ? say.rep(last.number ?? this.reps.length, last.failed ? say.failed : speed(last.speed)) : '')
    this.drawBars(begun ? this.reps.slice(-BARS) : [], Math.max(best, ...this.reps.map(r => r.speed)), line)
  }

  drawBars(reps, top, line) {
    const key = reps.map(r => r.speed + (r.failed ? 'f' : r.warmup ? 'w' : '')).join() + '|' + line
    if (this.shown.bars === key) return
    this.shown.bars = key
    const wide = 100 / Math.max(8, reps.length)
    this.nodes.bars.forEach((bar, i) => {
      const r = reps[i], high = r ? Math.max(1, 48 * r.speed / top) : 0
      const at = { x: (i * wide + wide * 0.1).toFixed(2), y: (50 - high).toFixed(2), width: r ? (wide * 0.8).toFixed(2) : 0, height: high.toFixed(2), class: !r ? '' : r.failed ? 'failed' : r.warmup ? 'warm' : line !== undefined && r.speed <= line + 1e-9 ? 'over' : '' }
      for (const [name, value] of Object.entries(at)) if (bar.getAttribute(name) !== String(value)) bar.setAttribute(name, value)
    })
    const y = reps.length && line !== undefined ? (50 - 48 * line / top).toFixed(2) : -9
    this.nodes.line.setAttribute('y1', y)
    this.nodes.line.setAttribute('y2', y)
    this.nodes.chart.setAttribute('aria-label', reps.length ? say.bars(reps.map(r => number(r.speed, 2)).join(', '), line === undefined ? '' : number(line, 2)) : say.noReps)
  }
}

// clockOf writes milliseconds as 0:05 or 1:02:03.
export function clockOf(ms) {
  const s = Math.max(0, Math.floor(ms / 1000)), two = n => String(n).padStart(2, '0')
  return s < 3600 ? Math.floor(s / 60) + ':' + two(s % 60) : Math.floor(s / 3600) + ':' + two(Math.floor(s / 60) % 60) + ':' + two(s % 60)
}
