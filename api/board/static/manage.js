// What the pages share on which somebody manages devices, places, channels and access:
// tables, and dialogs that ask, warn, and show a secret once.
import { api, el, field, fill, form, notice, Problem, problem, style } from './core.js'
import { text } from './text.js'

const t = text.manage
style('manage.css')

// ID is what the API takes as an id.
export const ID = { pattern: '[a-z0-9][a-z0-9_\\-]{0,63}', maxlength: 64, autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false' }

// idOf makes an id of a name, as far as that is possible.
export const idOf = name => name.normalize('NFKD').toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 64)

// table has a row for each list of cells, of which the first names it.
export function table(caption, heads, rows) {
  return el('div', { class: 'scroll listed', role: 'region', 'aria-label': caption, tabindex: 0 }, el('table', {},
    el('thead', {}, el('tr', {}, heads.map(h => el('th', { scope: 'col' }, h)))),
    el('tbody', {}, rows.map(([first, ...rest]) => el('tr', {}, el('th', { scope: 'row' }, first),
      rest.map((cell, i) => el('td', { 'data-says': heads[i + 1] || undefined }, cell)))))))
}

// refill fills a node anew and keeps the focus where it was, on what has the same key,
// and how far its tables are scrolled.
export function refill(node, ...children) {
  const key = node.contains(document.activeElement) ? document.activeElement.dataset.key : undefined
  const scrolled = [...node.querySelectorAll('.scroll')].map(s => s.scrollLeft)
  fill(node, ...children)
  node.querySelectorAll('.scroll').forEach((s, i) => { s.scrollLeft = scrolled[i] || 0 })
  if (key) node.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true })
}

// action is a button of a row. key is its own in the page.
export function action(label, key, run, { danger, of } = {}) {
  return el('button', {
    class: danger ? 'danger' : undefined, 'data-key': label + ' ' + key, 'aria-label': of && `${label}: ${of}`, onclick: async event => {
      const button = event.currentTarget
      button.disabled = true
      try {
        await run(button)
      } catch (cause) {
        notice(cause.message)
      } finally {
        button.disabled = false
      }
    },
  }, label)
}

let opened
// show opens a dialog. done is called once it is closed; a dialog ends with its page.
export function show(title, content, { done = () => {} } = {}) {
  opened?.close()
  const heading = el('h2', { id: 'dialog-title' }, title)
  const box = el('dialog', { 'aria-labelledby': 'dialog-title' }, heading, content)
  const leave = () => box.close()
  box.addEventListener('close', () => {
    removeEventListener('popstate', leave)
    box.remove()
    if (opened === box) opened = undefined
    done()
  })
  addEventListener('popstate', leave)
  document.body.append(box)
  opened = box
  box.showModal()
  return box
}

// ask opens a dialog with a form. send gets what was typed, and may throw; done gets
// what it returned, when the dialog is closed.
export function ask(title, fields, label, send, done = () => {}) {
  let sent, result
  const box = show(title, [form({}, fields, label, async (values, node) => {
    result = await send(values, node)
    sent = true
    box.close()
  }), el('button', { class: 'close', onclick: () => box.close() }, text.cancel)], { done: () => { if (sent) return done(result) } })
  return box
}

// sure asks before something that cannot be taken back. With typed, that has to be
// typed first.
export function sure(title, what, label, send, done, { typed, fields = [] } = {}) {
  const check = typed && field(t.type(typed), el('input', { name: 'typed', required: true, autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false' }))
  return ask(title, [el('p', {}, what), ...fields, check], label, values => {
    if (typed && values.typed !== typed) throw new Problem(422, { detail: t.notTyped(typed), field: 'typed' })
    return send(values)
  }, done)
}

// edit changes something on which two may work at once: what is sent counts only for
// the revision that was read. fields gets what is stored, body makes what is sent of
// what was typed.
export async function edit(title, path, fields, body, done) {
  let { data, etag } = await api('GET', path)
  const now = el('div')
  ask(title, [...fields(data), now], text.save, async (values, node) => {
    try {
      return (await api('PATCH', path, body(values, node), { match: etag })).data
    } catch (cause) {
      if (cause.status !== 412) throw cause
      const newest = await api('GET', path)
      etag = newest.etag
      const differs = Object.entries(newest.data).filter(([k, v]) => typeof v === 'string' && v !== data[k] && k !== 'updated')
      data = newest.data
      fill(now, el('p', { class: 'small' }, differs.map(([k, v]) => `${k}: ${v}`).join('; ')))
      throw new Problem(412, { detail: t.changed(newest.data.by) })
    }
  }, done)
}

// given is a text to be taken elsewhere, with a button that copies it.
export function given(label, value, { lines } = {}) {
  const box = el(lines ? 'textarea' : 'input', { readonly: true, value, rows: lines, 'aria-label': label, onfocus: () => box.select() })
  return el('div', { class: 'field' }, el('span', { class: 'small soft' }, label), el('div', { class: 'given' }, box, el('button', {
    type: 'button', 'aria-label': `${t.copy}: ${label}`, onclick: async () => {
      box.select()
      try {
        await navigator.clipboard.writeText(value)
        notice(t.copied)
      } catch {
        notice(t.copyYourself) // only pages by https, or of this machine, may copy
      }
    },
  }, t.copy)))
}

// once shows what nobody can see again.
export function once(title, what, values, { qr, qrSays, more, done } = {}) {
  const box = show(title, [el('p', {}, what), values.map(([label, value]) => given(label, value)),
    qr && el('img', { class: 'qr', src: qr, alt: qrSays }), more,
    el('p', {}, el('button', { class: 'main', onclick: () => box.close() }, t.kept))], { done })
  box.addEventListener('cancel', event => event.preventDefault()) // the escape key is pressed by mistake
  return box
}

// choice is a selection; options are values or [value, what is said].
export function choice(name, options, chosen, props = {}) {
  return el('select', { name, ...props }, options.map(o => Array.isArray(o) ? o : [o, o]).map(([value, said]) => el('option', { value, selected: value === chosen }, said)))
}

// siteChoice is a selection of a site, or a field for its id where none is known.
export function siteChoice(sites, chosen, { none, ...props } = {}) {
  if (!sites.length && none === undefined) return el('input', { name: 'site', required: true, value: chosen || '', ...ID, ...props })
  return choice('site', [...(none === undefined ? [] : [['', none]]), ...sites.map(s => [s.id, titled(s)])], chosen, props)
}

// titled is the name and id of something that may have no name.
export const titled = x => x.name ? `${x.name} (${x.id})` : x.id

export const check = (name, label, checked) => el('label', { class: 'choice' }, el('input', { type: 'checkbox', name, checked: !!checked }), ' ', label)

// zones proposes the time zones that the browser knows.
let zoneList
export function zoneInput(name, value, props = {}) {
  zoneList ??= el('datalist', { id: 'every-zone' }, Intl.supportedValuesOf('timeZone').map(z => el('option', { value: z })))
  if (!zoneList.isConnected) document.body.append(zoneList)
  return el('input', { name, value: value || '', list: 'every-zone', maxlength: 64, autocomplete: 'off', spellcheck: 'false', ...props })
}

// paged is a list that grows by a button. load gets a cursor and returns a page, draw
// gets all items.
export function paged(load, draw) {
  let items = [], next = '', turn = 0
  const place = el('div'), failed = el('div')
  const more = el('button', { hidden: true, onclick: () => read(true) }, text.more)
  async function read(further) {
    const mine = ++turn
    more.disabled = true
    try {
      const page = await load(further ? next : undefined)
      if (mine !== turn) return
      items = further ? [...items, ...page.items] : page.items
      next = page.next
      more.hidden = !next
      fill(failed)
      refill(place, draw(items))
    } catch (cause) {
      if (mine === turn) fill(failed, problem(cause))
    } finally {
      more.disabled = false
    }
  }
  return { node: el('div', {}, failed, place, more), read: () => read(false) }
}

// section is a titled part of a page.
export function section(id, title, ...content) {
  return el('section', { 'aria-labelledby': id, class: 'card' }, el('h2', { id }, title), ...content)
}
