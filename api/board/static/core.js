// What the pages share: elements, the API, streams, what the user prefers, and how
// numbers and times are written.
import { text } from './text.js'

// el makes an element. Children are elements or text, never markup: what sensors and
// people write cannot become part of the page.
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag)
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value)
    else if (name === 'class') node.className = value
    else if (name === 'value' || name === 'checked' || name === 'disabled') node[name] = value
    else node.setAttribute(name, value === true ? '' : value)
  }
  node.append(...children.flat(9).filter(c => c !== undefined && c !== null && c !== false))
  return node
}

// svg is el for drawings.
export function svg(tag, props = {}, ...children) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag)
  for (const [name, value] of Object.entries(props)) if (value !== undefined && value !== null) node.setAttribute(name, value)
  node.append(...children.flat(9).filter(c => c !== undefined && c !== null && c !== false))
  return node
}

export function fill(node, ...children) {
  node.replaceChildren(...children.flat(9).filter(c => c !== undefined && c !== null && c !== false))
  return node
}

// Problem is an answer of the API that is no success.
export class Problem extends Error {
  constructor(status, body) {
    super(body?.detail || body?.title || text.failed(status))
    this.status = status
    this.field = body?.field
  }
}

// api asks the API and returns {status, data, etag, at}; at is the server's time in
// milliseconds, cut to whole seconds. It throws a Problem. raw is a body that is sent as
// it was written.
export async function api(method, path, body, { match, signal, raw = body === undefined ? undefined : JSON.stringify(body) } = {}) {
  const headers = {}
  if (raw !== undefined) headers['Content-Type'] = 'application/json'
  if (match) headers['If-Match'] = match
  let answer
  try {
    answer = await fetch('/api/v1' + path, { method, headers, signal, body: raw })
  } catch (cause) {
    if (signal?.aborted) throw cause
    throw new Problem(0, { detail: text.offline })
  }
  const kind = answer.headers.get('Content-Type') || ''
  const data = kind.includes('json') ? await answer.json() : undefined
  if (answer.status === 401 && path !== '/session') dispatchEvent(new Event('signed-out'))
  if (!answer.ok) throw new Problem(answer.status, data)
  return { status: answer.status, data, etag: answer.headers.get('ETag'), at: Date.parse(answer.headers.get('Date')) }
}

export const get = async (path, options) => (await api('GET', path, undefined, options)).data

// query writes what is given of a query.
export function query(values) {
  const q = new URLSearchParams()
  for (const [k, v] of Object.entries(values)) if (v !== undefined && v !== null && v !== '') q.set(k, v)
  const s = q.toString()
  return s && '?' + s
}

// all reads a list to its end, or to a number of items.
export async function all(path, { most = 5000, signal } = {}) {
  const items = []
  for (let next = ''; ;) {
    const page = await get(path + (path.includes('?') ? '&' : '?') + 'limit=500' + (next && '&cursor=' + encodeURIComponent(next)), { signal })
    items.push(...page.items)
    if (!page.next || items.length >= most) return items
    next = page.next
  }
}

// stream follows server-sent events. on has a function for each event, which gets its
// data; state is told 'live', 'waiting' or 'lost'. Bytes that stay away for half a
// minute, sleep and a lost network all lead to a new connection that goes on after the
// newest event. The function returned ends it; its heard() is when the server was
// heard last, in milliseconds of this browser's clock.
export function stream(path, on, state = () => {}) {
  const ending = new AbortController()
  let last = '', heard = Date.now(), current
  const listen = async () => {
    for (let wait = 500; !ending.signal.aborted; wait = Math.min(wait * 2, 15000)) {
      current = new AbortController()
      try {
        const at = '/api/v1' + path + (last ? (path.includes('?') ? '&' : '?') + 'last_event_id=' + encodeURIComponent(last) : '')
        const answer = await fetch(at, { headers: { Accept: 'text/event-stream' }, signal: AbortSignal.any([ending.signal, current.signal]), cache: 'no-store' })
        if (answer.status === 401) { dispatchEvent(new Event('signed-out')); return }
        if (!answer.ok) throw new Error('status ' + answer.status)
        heard = Date.now()
        state('live')
        wait = 500
        await read(answer.body.getReader())
      } catch (cause) {
        if (ending.signal.aborted) return
      }
      state('waiting')
      await pause(wait * (0.75 + Math.random() / 2), ending.signal)
    }
  }
  const read = async reader => {
    const decoder = new TextDecoder()
    let rest = '', event = '', data = ''
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      heard = Date.now()
      const lines = (rest + decoder.decode(value, { stream: true })).split('\n')
      rest = lines.pop()
      for (const line of lines) {
        if (line === '') {
          if (event && on[event]) on[event](data === '' ? undefined : JSON.parse(data))
          event = data = ''
        } else if (line.startsWith('event: ')) event = line.slice(7)
        else if (line.startsWith('id: ')) last = line.slice(4)
        else if (line.startsWith('data: ')) data += line.slice(6)
      }
    }
  }
  const watch = setInterval(() => {
    if (Date.now() - heard > 30000) { state('lost'); current?.abort() }
  }, 5000)
  const wake = () => { if (document.visibilityState === 'visible' && Date.now() - heard > 16000) current?.abort() }
  document.addEventListener('visibilitychange', wake)
  addEventListener('online', wake)
  listen()
  const end = () => {
    clearInterval(watch)
    document.removeEventListener('visibilitychange', wake)
    removeEventListener('online', wake)
    ending.abort()
  }
  end.heard = () => heard
  return end
}

function pause(ms, signal) {
  return new Promise(done => {
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', () => { clearTimeout(timer); done() })
  })
}

// prefer keeps what the user prefers in this browser: unit, theme.
export const prefer = {
  get: (name, usual) => localStorage.getItem('spotter.' + name) ?? usual,
  // mark keeps something without drawing the page anew.
  mark: (name, value) => localStorage.setItem('spotter.' + name, value),
  set: (name, value) => { localStorage.setItem('spotter.' + name, value); dispatchEvent(new Event('preferred')) },
}

export function applyTheme() {
  const theme = prefer.get('theme', '')
  if (theme) document.documentElement.dataset.theme = theme
  else delete document.documentElement.dataset.theme
}

const KG_IN_LB = 0.45359237
export const unit = () => prefer.get('unit', 'kg')
export const toUnit = kg => unit() === 'lb' ? kg / KG_IN_LB : kg
export const fromUnit = value => unit() === 'lb' ? value * KG_IN_LB : value
export const number = (v, digits = 0) => v === undefined || v === null ? '–' : v.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
export const load = kg => kg === undefined || kg === null ? '–' : number(toUnit(kg), toUnit(kg) % 1 ? 1 : 0) + ' ' + unit()
export const speed = mps => mps === undefined || mps === null ? '–' : number(mps, 2) + ' m/s'
export const percent = (v, digits = 0) => v === undefined || v === null ? '–' : number(v, digits) + ' %'
export const clock = at => new Date(at).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })
export const day = at => new Date(at).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })
export const moment = at => day(at) + ', ' + clock(at)

// ago says how long ago something was, in words.
export function ago(at, now = Date.now()) {
  const s = Math.max(0, (now - new Date(at)) / 1000)
  for (const [n, name] of [[86400, 'day'], [3600, 'hour'], [60, 'minute']]) {
    if (s >= n) return text.ago(Math.floor(s / n), name)
  }
  return text.justNow
}

// named shows an athlete by name where one is known.
const names = new Map()
export async function learnNames() {
  for (const a of await all('/athletes')) names.set(a.id, a.name || a.id)
  return names
}
export const named = id => id ? names.get(id) || id : text.nobody

export const severities = ['info', 'advice', 'warning', 'critical', 'urgent']
export const badge = severity => el('span', { class: 'badge ' + severity }, text.severity[severity] || severity)

let fading
// style loads a page's own style once.
export function style(path) {
  const href = '/board/' + path
  if (!document.head.querySelector(`link[href="${href}"]`)) document.head.append(el('link', { rel: 'stylesheet', href }))
}

// notice tells something in passing, to screen readers too.
export function notice(message) {
  const box = document.getElementById('notice')
  box.textContent = message
  clearTimeout(fading)
  fading = setTimeout(() => { box.textContent = '' }, 6000)
}

export const problem = cause => el('p', { class: 'problem', role: 'alert' }, cause.message || String(cause))
export const empty = (...what) => el('div', { class: 'empty' }, ...what)

// field is a labelled input; its name is that of the API's field.
export function field(label, input, hint) {
  return el('label', { class: 'field' }, el('span', {}, label), input, hint && el('small', { class: 'soft' }, hint))
}

// form sends what is typed, shows what is wrong beside the field at fault, and is
// disabled meanwhile.
export function form(props, fields, label, send) {
  const wrong = el('div')
  const button = el('button', { class: 'main' }, label)
  return el('form', {
    ...props, onsubmit: async event => {
      event.preventDefault()
      const node = event.target
      button.disabled = true
      fill(wrong)
      for (const input of node.querySelectorAll('[aria-invalid]')) input.removeAttribute('aria-invalid')
      try {
        await send(Object.fromEntries(new FormData(node)), node)
      } catch (cause) {
        const at = cause.field && node.elements[cause.field]
        if (at?.setAttribute) { at.setAttribute('aria-invalid', 'true'); at.focus() }
        const beside = at?.closest?.('.field')
        if (beside) beside.after(wrong)
        else button.before(wrong)
        fill(wrong, problem(cause))
      } finally {
        button.disabled = false
      }
    },
  }, ...fields, wrong, button)
}

// go leads to another page without loading the board again.
export function go(path) {
  history.pushState(null, '', path)
  dispatchEvent(new Event('popstate'))
}
