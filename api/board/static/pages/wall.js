// The wall: a tile for each rack, readable from across the room. It is fed by the
// live stream and draws at most once per frame, and only the tiles that changed.
import { all, api, badge, clock, el, fill, get, go, problem, query, stream, style } from '../core.js'
import { text } from '../text.js'
import { Rack, clockOf } from './wall-rack.js'

const say = text.wall
const ALERTS_KEPT = 50, ALERTS_SHOWN = 3
const READ_AGAIN = 2 * 60e3 // names, racks and limits that nothing tells of live
// Alerts that tell of somebody's health are no business of everybody in the room.
const confidential = new Set(['red-flag', 'radicular', 'inflammatory', 'pain-zone', 'pain-persistence', 'hold', 'return-plan'])

export async function mount(root, { me, query: asked }) {
  const site = asked.get('site') || me.site || ''
  const wall = new Wall(root, site)
  await wall.begin(me)
  return () => wall.end()
}

class Wall {
  racks = new Map() // by site and device
  alerts = new Map() // open ones, by id
  athletes = new Map() // what is known of who is on a rack: name, goal, limits
  exercises = new Map()
  waiting = [] // events that came while the lists were read
  changed = new Set() // racks to be drawn
  skew = 0 // of this browser's clock to the server's, in milliseconds
  link = 'waiting'
  gone = false // after the first connection
  newest = 0 // when the last event came

  constructor(root, site) {
    this.root = root
    this.site = site
    this.ending = new AbortController()
    this.now = () => Date.now() + this.skew
  }

  async begin(me) {
    this.build()
    // The streams begin first, so that nothing is missed between them and the lists.
    const at = query({ site: this.site })
    const take = kind => data => { this.newest = Date.now(); this.take(kind, data) }
    this.live = stream('/live' + at, { rep: take('rep'), set: take('set'), device: take('device'), reset: () => this.read(true) }, state => this.linked(state))
    this.told = stream('/alerts/stream' + at, { alert: take('alert'), reset: () => this.read(true) })
    const { signal } = this.ending
    addEventListener('resize', () => this.fit(), { signal })
    document.querySelector('link[href$="/wall.css"]').addEventListener('load', () => this.fit(), { signal })
    document.addEventListener('fullscreenchange', () => { this.fit(); this.labelScreen() }, { signal })
    document.addEventListener('visibilitychange', () => this.keepAwake(), { signal })
    this.timers = [setInterval(() => this.second(), 1000), setInterval(() => this.read(), READ_AGAIN)]
    this.keepAwake()
    if (!me.site) this.chooseSite()
    await this.read(true)
  }

  end() {
    this.ending.abort()
    this.live()
    this.told()
    this.timers.forEach(clearInterval)
    this.lock?.release().catch(() => {})
    if (document.fullscreenElement) document.exitFullscreen().catch(() => {})
  }

  build() {
    style('pages/wall.css')
    this.where = el('div', { class: 'where' }, this.site && el('span', { class: 'soft' }, this.site))
    this.state = el('span', { role: 'status' }, text.fresh.waiting)
    this.age = el('span', { class: 'soft' })
    this.time = el('span', { class: 'time' })
    this.screen = el('button', { onclick: () => this.fillScreen() }, say.fullScreen)
    this.screen.hidden = !document.fullscreenEnabled
    this.wrong = el('div')
    this.grid = el('div', { class: 'racks' }, el('p', { class: 'soft' }, text.loading))
    this.list = el('ul', { class: 'told' })
    this.more = el('a', { href: '/', class: 'soft' })
    this.aloud = el('p', { class: 'unseen', role: 'status' })
    this.node = el('div', { class: 'wall' },
      el('div', { class: 'head' }, el('h1', {}, text.nav.wall), this.where, el('p', { class: 'fresh' }, this.state, ' ', this.age), this.screen, this.time),
      this.wrong, this.grid, el('div', { class: 'foot' }, el('div', { class: 'grow', role: 'log', 'aria-label': say.alerts }, this.list), this.more), this.aloud)
    this.node.dataset.link = this.link
    fill(this.root, this.node)
    this.fit()
  }

  async chooseSite() {
    const sites = await all('/sites', { most: 500, signal: this.ending.signal }).catch(() => [])
    if (sites.length < 2 && (!sites[0] || !this.site || sites[0].id === this.site)) {
      if (sites[0] && (this.site || sites.length === 1)) fill(this.where, el('span', { class: 'soft' }, sites[0].name || sites[0].id))
      return
    }
    fill(this.where, el('select', { 'aria-label': text.site, onchange: e => go('/wall' + query({ site: e.target.value })) },
      el('option', { value: '' }, text.everySite),
      sites.map(s => el('option', { value: s.id, selected: s.id === this.site }, s.name || s.id))))
  }

  // take applies an event, or keeps it until the lists are read.
  take(kind, data) {
    if (this.reading) {
      this.waiting.push([kind, data])
      if (this.waiting.length > 5000) { this.waiting.length = 0; this.again = true }
      return
    }
    if (kind === 'alert') return this.takeAlert(data)
    if (kind === 'set') {
      for (const rack of this.racks.values()) if (rack.takeSet(data)) this.change(rack)
      return
    }
    const rack = this.racks.get(data.site + '/' + data.device)
    if (!rack) return this.readSoon()
    if (kind === 'rep' ? rack.takeRep(data, this.now()) : rack.takeDevice(data)) {
      this.change(rack)
      this.learn(rack)
    }
  }

  takeAlert(a) {
    if (a.state === 'open') this.alerts.set(a.id, a)
    else this.alerts.delete(a.id)
    if (this.alerts.size > ALERTS_KEPT) {
      const oldest = [...this.alerts.values()].sort((a, b) => b.opened.localeCompare(a.opened)).slice(ALERTS_KEPT)
      for (const a of oldest) this.alerts.delete(a.id)
    }
    this.change(this.alerts)
  }

  // read reads the lists, again and again until it works; where all may have changed,
  // the newest sets too.
  async read(whole) {
    this.whole ||= whole
    if (this.reading) { this.again = true; return }
    this.reading = true
    const { signal } = this.ending
    for (let wait = 1000; !signal.aborted; wait = Math.min(wait * 2, 15000)) {
      this.again = false
      try {
        await this.readLists(signal)
        const whole = this.whole
        this.whole = false
        if (whole) await this.readReps(signal).catch(cause => { this.whole = true; throw cause })
        this.arrange()
        for (const rack of this.racks.values()) { this.change(rack); this.learn(rack) }
        this.change(this.alerts)
        fill(this.wrong)
        if (!this.again) break
        wait = 1000
      } catch (cause) {
        if (signal.aborted) break
        if (cause.status === 401) break
        if (cause.status !== 0) fill(this.wrong, problem(cause))
      }
      await new Promise(done => setTimeout(done, wait))
    }
    this.reading = false
    for (const [kind, data] of this.waiting.splice(0)) this.take(kind, data)
  }

  readSoon() {
    this.soon ??= setTimeout(() => { this.soon = undefined; if (!this.ending.signal.aborted) this.read() }, 1000)
  }

  async readLists(signal) {
    const site = query({ site: this.site })
    const asked = Date.now()
    const [devices, open, exercises] = await Promise.all([
      all('/devices' + site, { signal }),
      api('GET', '/alerts' + query({ site: this.site, state: 'open', limit: ALERTS_KEPT }), undefined, { signal }),
      this.exercises.size ? [] : all('/exercises', { signal }),
    ])
    // The header tells whole seconds.
    if (open.at) this.skew = open.at + 500 - (asked + Date.now()) / 2
    if (Math.abs(this.skew) < 2000) this.skew = 0
    for (const e of exercises) this.exercises.set(e.id, e)
    this.athletes.clear() // and what is needed of them is asked for again
    this.alerts.clear()
    for (const a of open.data.items) this.alerts.set(a.id, a)
    const kept = new Set()
    for (const d of devices) {
      const key = d.site + '/' + d.device
      kept.add(key)
      if (!this.racks.has(key)) this.racks.set(key, new Rack())
      this.racks.get(key).describe(d)
    }
    for (const key of this.racks.keys()) if (!kept.has(key)) this.racks.delete(key)
  }

  // readReps reads what everybody who was heard of lately has lifted.
  async readReps(signal) {
    const from = new Date(this.now() - 30 * 60e3).toISOString()
    const lately = await all('/athletes' + query({ site: this.site, since: from }), { most: 500, signal })
    const reps = await Promise.all(lately.map(a => all(`/athletes/${a.id}/reps?from=${from}`, { signal })))
    for (const rack of this.racks.values()) rack.forget() // what was corrected away meanwhile
    for (const a of lately) this.athletes.set(a.id, { name: a.name || a.id, goal: a.goal })
    for (const r of reps.flat().sort((a, b) => Date.parse(a.time) - Date.parse(b.time))) {
      this.racks.get(r.site + '/' + r.device)?.takeRep(r, this.now())
      this.newest = Math.max(this.newest, Date.parse(r.received) - this.skew)
    }
  }

  // learn finds out what is not known yet of who is on a rack, and their limits.
  async learn(rack) {
    const id = rack.athlete()
    if (!id) return
    let who = this.athletes.get(id)
    if (!who) this.athletes.set(id, who = {})
    if (who.asked) return
    who.asked = true
    const { signal } = this.ending
    try {
      if (!who.name) {
        const a = await get('/athletes/' + id, { signal })
        who.name = a.name || a.id
        who.goal = a.goal
      }
      who.limits = (await get('/rules/velocity-loss?athlete=' + id, { signal })).limits
    } catch (cause) {
      if (signal.aborted) return
      if (!cause.status || cause.status >= 500) setTimeout(() => { who.asked = false; if (!signal.aborted) this.learn(rack) }, 3000)
    }
    for (const rack of this.racks.values()) if (rack.athlete() === id) this.change(rack)
    if (this.alerts.size) this.change(this.alerts)
  }

  // arrange puts the tiles in order: named racks first.
  arrange() {
    const order = [...this.racks.values()].sort((a, b) => a.compare(b))
    if (order.length === 0) {
      fill(this.grid, el('div', { class: 'empty' }, el('p', {}, say.nothing), el('p', {}, el('a', { href: '/devices' }, say.connect))))
    } else if (order.some((rack, i) => this.grid.children[i] !== rack.node) || this.grid.children.length !== order.length) {
      fill(this.grid, order.map(rack => rack.node))
    }
    this.fit()
  }

  change(what) {
    this.changed.add(what)
    this.frame ??= requestAnimationFrame(() => this.draw())
  }

  draw() {
    this.frame = undefined
    const now = this.now()
    for (const what of this.changed) {
      if (what === this.alerts) { this.drawAlerts(); continue }
      const who = this.athletes.get(what.athlete()), exercise = this.exercises.get(what.exercise())
      const before = what.state
      what.draw(now, who, exercise)
      if (what.state === 'stop' && before && before !== 'stop') this.aloud.textContent = say.stopAt(what.label, who?.name || '')
    }
    this.changed.clear()
  }

  drawAlerts() {
    const open = [...this.alerts.values()].sort((a, b) => b.opened.localeCompare(a.opened))
    const shown = open.filter(a => !confidential.has(a.rule)).slice(0, ALERTS_SHOWN)
    const key = a => a.id + '.' + a.revision + '.' + (this.athletes.get(a.athlete)?.name || a.athlete)
    for (const a of shown.filter(a => !this.athletes.has(a.athlete))) this.learnName(a.athlete)
    if (shown.map(key).join() !== this.shownAlerts) {
      this.shownAlerts = shown.map(key).join()
      fill(this.list, shown.map(a => el('li', {}, badge(a.severity), el('b', {}, this.athletes.get(a.athlete)?.name || a.athlete || ''), ' ',
        el('span', { class: 'title' }, a.title), ' ', el('time', { datetime: a.opened, class: 'soft' }, clock(a.opened)))))
      if (!shown.length) fill(this.list, el('li', { class: 'soft' }, say.noAlerts))
      this.fit()
    }
    const rest = open.length - shown.length
    this.more.textContent = rest ? say.more(rest >= ALERTS_KEPT - ALERTS_SHOWN ? rest + '+' : rest) : ''
  }

  learnName(id) {
    if (!id || this.athletes.has(id)) return
    this.athletes.set(id, {})
    get('/athletes/' + id, { signal: this.ending.signal }).then(a => {
      const known = this.athletes.get(id) || {}
      this.athletes.set(id, { ...known, name: a.name || a.id, goal: a.goal })
      this.change(this.alerts)
    }, () => {})
  }

  linked(state) {
    if (state === this.link) return
    if (state === 'live' && this.gone) this.read() // a rack may have another name by now
    this.gone = state !== 'live'
    this.link = state
    this.node.dataset.link = state
    this.state.textContent = text.fresh[state]
    this.second()
  }

  // second keeps times going, and follows what only time changes.
  second() {
    const silent = Date.now() - this.live.heard()
    const age = this.link !== 'live' || silent > 15000 ? say.asOf(new Date(this.live.heard() + this.skew).toLocaleTimeString('en-GB'))
      : this.newest ? say.newest(clockOf(Date.now() - this.newest)) : say.quiet
    if (this.age.textContent !== age) this.age.textContent = age
    const stale = String(this.link !== 'live' || silent > 15000)
    if (this.node.dataset.stale !== stale) this.node.dataset.stale = stale
    const time = clock(this.now())
    if (this.time.textContent !== time) this.time.textContent = time
    const now = this.now()
    for (const rack of this.racks.values()) if (rack.aged(now)) this.change(rack)
  }

  async keepAwake() {
    if (document.visibilityState !== 'visible' || !navigator.wakeLock || this.ending.signal.aborted) return
    try {
      this.lock = await navigator.wakeLock.request('screen')
      if (this.ending.signal.aborted) this.lock.release()
    } catch { /* a screen that is low on power, or a page without TLS, may sleep */ }
  }

  fillScreen() {
    const turning = document.fullscreenElement ? document.exitFullscreen() : this.node.requestFullscreen()
    turning.catch(cause => fill(this.wrong, problem(cause)))
  }

  labelScreen() {
    this.screen.textContent = document.fullscreenElement ? say.leaveScreen : say.fullScreen
  }

  // fit makes the tiles as large as they can be with all of them on the screen. On a
  // phone, and where they would be too small to read, the page scrolls instead.
  fit() {
    const n = Math.max(1, this.racks.size), wide = 22, high = 12.5, gap = 8
    const full = document.fullscreenElement === this.node
    const screen = innerHeight - (full ? 0 : this.node.getBoundingClientRect().top + scrollY + 8)
    this.node.classList.remove('scrolls')
    this.node.style.height = screen + 'px'
    const width = this.grid.clientWidth, height = this.grid.clientHeight
    let columns = 1, unit = 0
    for (let c = 1; c <= n; c++) {
      const rows = Math.ceil(n / c)
      const fits = Math.min(((width - (c - 1) * gap) / c) / wide, ((height - (rows - 1) * gap) / rows) / high)
      if (fits > unit) { columns = c; unit = fits }
    }
    if (unit < 9) {
      this.node.classList.add('scrolls')
      this.node.style.height = ''
      columns = Math.max(1, Math.floor((width + gap) / (14 * wide + gap)))
      unit = Math.min(20, (width - (columns - 1) * gap) / columns / wide)
    }
    this.grid.style.setProperty('--columns', columns)
    this.grid.style.setProperty('--unit', unit.toFixed(2) + 'px')
  }
}
