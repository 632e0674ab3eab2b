// The frame: who is signed in, the navigation, and which page is shown.
import { api, applyTheme, el, empty, fill, form, field, get, go, prefer, problem } from './core.js'
import { text } from './text.js'

// pages by path. A page is loaded when it is first needed.
const pages = [
  [/^\/$/, 'desk'], [/^\/wall$/, 'wall'], [/^\/athletes$/, 'athletes'], [/^\/athletes\/([a-z0-9_-]+)$/, 'athlete'],
  [/^\/imports$/, 'imports'], [/^\/plans$/, 'plans'], [/^\/rules$/, 'rules'], [/^\/backtest$/, 'backtest'], [/^\/devices$/, 'devices'], [/^\/sites$/, 'sites'],
  [/^\/quarantine$/, 'quarantine'], [/^\/deliveries$/, 'deliveries'], [/^\/access$/, 'access'], [/^\/setup$/, 'setup'],
]

// nav is what each role finds in the bar.
const nav = [
  ['/', 'desk', ['admin', 'coach']], ['/wall', 'wall', ['admin', 'coach']], ['/athletes', 'athletes', ['admin', 'coach', 'athlete']],
  ['/imports', 'imports', ['admin', 'coach']], ['/plans', 'plans', ['admin', 'coach']], ['/rules', 'rules', ['admin', 'coach']], ['/backtest', 'backtest', ['admin', 'coach']],
  ['/devices', 'devices', ['admin', 'coach']], ['/sites', 'sites', ['admin', 'coach']], ['/quarantine', 'quarantine', ['admin', 'coach']],
  ['/deliveries', 'deliveries', ['admin', 'coach']], ['/access', 'access', ['admin']], ['/setup', 'setup', ['admin']],
]

const root = document.getElementById('page')
const bar = document.getElementById('bar')
let me, end, shown = 0

async function show() {
  const turn = ++shown
  end?.()
  end = undefined
  if (!me) return signIn()
  const path = location.pathname
  if (me.role === 'athlete' && path === '/') return go('/athletes/' + me.athlete)
  drawBar(path)
  const [match, name] = pages.map(([pattern, name]) => [path.match(pattern), name]).find(([m]) => m) || []
  if (!name) return fill(root, problem({ message: text.gone }))
  const roles = nav.find(([, n]) => n === name)?.[2]
  if (roles && !roles.includes(me.role)) return fill(root, el('h1', {}, text.nav[name]), empty(text.notYours))
  fill(root, el('p', { class: 'loading' }, text.loading))
  root.focus({ preventScroll: true })
  try {
    const page = await import(`./pages/${name}.js`)
    if (turn !== shown) return
    const section = el('section')
    fill(root, section)
    document.title = (text.nav[name] ? text.nav[name] + ' – ' : '') + text.name
    const stop = await page.mount(section, { me, params: match.slice(1), query: new URLSearchParams(location.search) })
    if (turn === shown) end = stop
    else stop?.()
  } catch (cause) {
    if (turn === shown) fill(root, problem(cause), el('button', { onclick: show }, text.retry))
  }
}

function drawBar(path) {
  const choice = (label, name, options) => el('select', { 'aria-label': label, onchange: e => prefer.set(name, e.target.value) },
    options.map(([value, said]) => el('option', { value, selected: prefer.get(name, options[0][0]) === value }, said)))
  fill(bar,
    el('strong', {}, text.name),
    me.name === 'demo' && el('span', { class: 'demo' }, text.demo),
    el('nav', { 'aria-label': text.name }, nav.filter(([, , roles]) => roles.includes(me.role)).map(([href, name]) =>
      el('a', { href, 'aria-current': href === path ? 'page' : undefined }, text.nav[name]))),
    choice(text.prefer.unit, 'unit', [['kg', 'kg'], ['lb', 'lb']]),
    choice(text.prefer.theme, 'theme', Object.entries(text.prefer.themes)),
    me.name !== 'demo' && el('button', { onclick: async () => { await api('DELETE', '/session'); me = undefined; show() } }, text.signIn.out))
}

function signIn() {
  fill(bar, el('strong', {}, text.name))
  const provider = document.querySelector('meta[name=sign-in]').content === 'provider' &&
    el('p', {}, el('a', { href: '/auth/login' }, text.signIn.provider))
  const token = el('input', { name: 'token', type: 'password', autocomplete: 'current-password', required: true })
  fill(root, el('div', { class: 'card' }, el('h1', {}, text.signIn.title),
    form({}, [field(text.signIn.token, token, text.signIn.hint)], text.signIn.button, async ({ token }) => {
      me = (await api('POST', '/session', { token: token.trim() })).data
      show()
    }), provider))
  token.focus()
}

// Links within the board change the page without loading it again.
document.addEventListener('click', event => {
  const link = event.target.closest?.('a[href]')
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || link.target || link.hasAttribute('download')) return
  const to = new URL(link.href)
  if (to.origin !== location.origin || !pages.some(([p]) => p.test(to.pathname))) return
  event.preventDefault()
  go(to.pathname + to.search)
})
addEventListener('popstate', show)
addEventListener('preferred', () => { applyTheme(); show() })
addEventListener('signed-out', () => { if (me) { me = undefined; show() } })

applyTheme()
get('/session').then(found => { me = found }, () => {}).finally(show)
