// Who the athlete is, and what can be done about them.
import { api, el, field, fill, form, moment, notice } from '../../core.js'
import { text } from '../../text.js'
import { exportLinks } from '../exports.js'
import { profileForm } from './form.js'

const t = text.athlete

export function drawHead(page) {
  const a = page.athlete
  const place = el('div', { 'aria-live': 'polite' })
  // Each opens a form below, and closes it when pressed again.
  const opens = (label, draw) => {
    const button = el('button', {
      'aria-expanded': 'false', onclick: async () => {
        const open = button.getAttribute('aria-expanded') === 'true'
        for (const b of row.querySelectorAll('[aria-expanded]')) b.setAttribute('aria-expanded', 'false')
        fill(place)
        if (open) return
        button.setAttribute('aria-expanded', 'true')
        fill(place, await draw(() => { fill(place); button.setAttribute('aria-expanded', 'false'); button.focus() }))
        place.querySelector('input, select, textarea, button')?.focus()
      },
    }, label)
    return button
  }
  const row = el('div', { class: 'row' }, opens(t.link.open, close => drawLink(page, close)),
    page.coach && opens(t.edit, close => drawEdit(page, close)),
    page.coach && el('a', { class: 'button', href: '/rules?athlete=' + page.id }, t.limits))
  return [
    el('h1', { tabindex: -1 }, a.name || page.id),
    el('p', { class: 'soft' }, [a.name && page.id, a.site, a.teams?.join(', '), a.goal && t.goals[a.goal], a.zone].filter(Boolean).join(' · ')),
    !a.name && page.coach && el('p', { class: 'soft' }, t.unnamed),
    row, place, exportLinks({ athlete: page.id }),
  ]
}

async function drawEdit(page, close) {
  // What is stored now, not what the page began with, is what is changed.
  const found = await api('GET', page.path)
  Object.assign(page, { athlete: found.data, etag: found.etag })
  return el('div', { class: 'card' }, el('h2', {}, t.edit), await profileForm({
    athlete: page.athlete, exercises: await page.catalogue(), me: page.me, label: text.save, close,
    send: async body => {
      const saved = await api('PATCH', page.path, body, { match: page.etag })
      Object.assign(page, { athlete: saved.data, etag: saved.etag })
      notice(saved.status === 202 ? t.later : t.saved)
      page.drawHead()
      page.head.querySelector('h1').focus()
      page.refresh()
    },
    // Somebody else was quicker: what they changed is told, and saving again stands above it.
    newest: async () => {
      const now = await api('GET', page.path)
      page.etag = now.etag
      return now.data
    },
  }))
}

function drawLink(page, close) {
  const made = el('div', { 'aria-live': 'polite' })
  return el('div', { class: 'card' }, el('h2', {}, t.link.title), el('p', { class: 'soft' }, t.link.about),
    form({}, [
      el('div', { class: 'row' }, field(t.link.uses, el('input', { name: 'uses', type: 'number', min: 1, max: 1000, value: 1, required: true })),
        field(t.link.hours, el('input', { name: 'hours', type: 'number', min: 1, max: 8784, value: 24, required: true }))),
    ], t.link.make, async ({ uses, hours }) => {
      const link = (await api('POST', page.path + '/checkin-links', { uses: +uses, hours: +hours })).data
      const address = el('input', { readonly: true, value: link.url, 'aria-label': t.link.address, onfocus: event => event.target.select() })
      fill(made, el('figure', { class: 'qr' }, el('img', { src: link.qr, alt: t.link.qr, width: 320, height: 320 }), el('figcaption', { class: 'small' }, t.link.scan)), address,
        el('p', { class: 'small soft' }, t.link.until(link.uses, moment(link.expires))))
    }), made, el('button', { onclick: close }, text.close))
}
