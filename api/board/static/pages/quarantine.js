// Messages that could not be used: what they were, and what to do about them.
import { api, el, empty, field, fill, get, moment, notice, number, query } from '../core.js'
import { action, ask, paged, show, sure, table } from '../manage.js'
import { text } from '../text.js'

const t = text.quarantine

export async function mount(root) {
  const list = paged(cursor => get('/quarantine' + query({ limit: 50, cursor })), items => items.length ? table(t.title, t.head, items.map(row)) : empty(t.none))
  const row = q => [
    el('time', { datetime: q.received }, moment(q.received)),
    visible(q.topic) + (q.index === undefined ? '' : ' ' + t.element(q.index + 1)),
    [q.field && el('code', {}, visible(q.field)), q.field && ' ', visible(q.reason)], t.bytes(number(q.size)),
    el('div', { class: 'row' }, action(t.open, q.id, () => open(q.id), { of: `${q.topic}, ${moment(q.received)}` }),
      action(text.remove, q.id, () => remove(q), { danger: true, of: `${q.topic}, ${moment(q.received)}` })),
  ]
  const remove = q => sure(t.removeOf, t.aboutRemove(visible(q.topic), moment(q.received)), text.remove, () => api('DELETE', '/quarantine/' + q.id), () => { notice(t.removed); return list.read() })

  async function open(id) {
    const q = await get('/quarantine/' + id)
    const bytes = Uint8Array.from(atob(q.bytes || ''), c => c.charCodeAt(0))
    let said
    try {
      said = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    } catch {
      said = undefined // it is no text
    }
    const about = [
      el('p', {}, q.field && [el('code', {}, visible(q.field)), ': '], visible(q.reason)),
      el('p', { class: 'small soft' }, visible(q.topic), ', ', moment(q.received), ', ', t.bytes(number(q.size)), q.truncated && [', ', t.truncated]),
      el('pre', { class: 'bytes', tabindex: 0, 'aria-label': t.asReceived }, said === undefined ? hex(bytes) : visible(said)),
    ]
    if (q.released) return show(t.message, [about, el('p', {}, t.replayedBy(q.released.by, moment(q.released.at)))])
    // Within JSON's strings what is written out means the same.
    const proposed = said !== undefined && !q.truncated ? visible(said.replaceAll('\r\n', '\n')) : ''
    const payload = el('textarea', { name: 'payload', spellcheck: 'false', value: proposed })
    const box = ask(t.message, [about, field(t.corrected, payload, q.truncated ? t.correctWhole : t.aboutReplay)], t.replay,
      // Sent as it was written: a program in between would round numbers or drop fields.
      () => api('POST', `/quarantine/${id}/replay`, undefined, { raw: payload.value === proposed || payload.value === '' ? undefined : payload.value }),
      () => { notice(t.replayed); return list.read() })
    box.querySelector('form').append(' ', el('button', { type: 'button', class: 'danger', onclick: () => remove(q) }, text.remove))
  }

  fill(root, el('h1', {}, t.title), el('p', { class: 'soft' }, t.about), list.node)
  await list.read()
}

// visible writes out what would not be seen, or would turn the text around.
export const visible = said => String(said ?? '').replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
  c => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0'))

function hex(bytes) {
  const lines = []
  for (let i = 0; i < bytes.length && i < 4096; i += 16) {
    const part = [...bytes.slice(i, i + 16)]
    lines.push(i.toString(16).padStart(6, '0') + '  ' + part.map(b => b.toString(16).padStart(2, '0')).join(' ').padEnd(47) + '  ' + part.map(b => b > 31 && b < 127 ? String.fromCharCode(b) : '·').join(''))
  }
  return lines.join('\n') + (bytes.length > 4096 ? '\n…' : '')
}
