// The sensors: how they are, who is on which bar, reps of nobody, and what they
// connect with.
import { ago, all, api, clock, day, el, empty, field, fill, fromUnit, learnNames, load, moment, named, notice, percent, problem, query, speed, stream, toUnit, unit } from '../core.js'
import { action, ask, choice, edit, ID, once, refill, section, siteChoice, sure, table } from '../manage.js'
import { text } from '../text.js'

const t = text.devices
const GAP = 30 * 60000 // between reps that were hardly done by the same person

export async function mount(root, { me, query: asked }) {
  const admin = me.role === 'admin'
  const [sites, names, exercises] = await Promise.all([all('/sites'), learnNames(), all('/exercises')])
  const look = { site: asked.get('site') || me.site || '' }
  const list = el('div'), nobody = el('div'), keys = el('div')
  const several = sites.length > 1
  // differs reports whether a list is to be drawn anew: what is drawn for nothing moves
  // under the finger. Times are told anew after a while.
  const drawn = {}
  const differs = (name, found) => {
    const said = JSON.stringify(found), before = drawn[name]
    if (before?.said === said && Date.now() - before.at < 25000) return false
    drawn[name] = { said, at: Date.now() }
    return true
  }
  const at = d => `/devices/${d.device}`
  const called = d => d.name || d.device

  async function readDevices() {
    const found = await all('/devices' + query({ site: look.site }))
    if (!differs('devices', found)) return
    refill(list, found.length ? table(t.title, several ? t.head : t.head.toSpliced(1, 1), found.map(row)) : empty(t.none, admin && [' ', el('a', { href: '/setup' }, t.setUp)]))
  }

  const state = s => s === 'ready' ? 'good' : s === 'lost' ? 'critical' : 'soft'
  const row = d => [
    [called(d), d.name && el('span', { class: 'small soft' }, ' ', d.device)],
    ...(several ? [d.site] : []), d.rack,
    d.status ? [el('span', { class: 'badge ' + state(d.status.state), title: moment(d.status_at) }, t.states[d.status.state] || d.status.state),
      d.status.firmware && el('div', { class: 'small soft' }, t.firmware(d.status.firmware))] : t.silent,
    d.status?.battery_pct !== undefined && el('span', { class: d.status.battery_pct < 20 ? 'warning' : undefined }, percent(d.status.battery_pct)),
    d.seen ? el('time', { datetime: d.seen, title: moment(d.seen) }, ago(d.seen)) : t.never,
    d.assignment ? [el('a', { href: '/athletes/' + d.assignment.athlete }, named(d.assignment.athlete)),
      el('div', { class: 'small soft' }, [d.assignment.exercise, d.assignment.load_kg !== undefined && load(d.assignment.load_kg), d.assignment.warmup && t.warmup].filter(Boolean).join(', '))] : text.nobody,
    el('div', { class: 'row' },
      action(t.assign, d.site + '/' + d.device, () => assign(d), { of: called(d) }),
      d.assignment && action(t.end, d.site + '/' + d.device, async () => {
        await api('DELETE', at(d) + '/assignment' + query({ site: d.site }))
        notice(t.ended(called(d)))
        await readDevices()
      }, { of: called(d) }),
      action(t.edit, d.site + '/' + d.device, () => change(d), { of: called(d) })),
  ]

  // whom is the part of a form that says who lifts what.
  const whom = on => [
    field(t.athlete, choice('athlete', [['', t.choose], ...[...names].map(([id, name]) => [id, name === id ? id : `${name} (${id})`])], on?.athlete, { required: true })),
    field(t.exercise, choice('exercise', [['', t.unknown], ...exercises.map(e => [e.id, e.name || e.id])], on?.exercise)),
    field(t.load(unit()), el('input', { name: 'load_kg', type: 'number', min: 0, max: Math.floor(toUnit(1000)), step: 'any', inputmode: 'decimal', value: on?.load_kg === undefined ? '' : Math.round(toUnit(on.load_kg) * 100) / 100 })),
  ]
  const lifts = (v, more) => ({
    athlete: v.athlete, ...(v.exercise && { exercise: v.exercise }), ...(v.load_kg !== '' && { load_kg: Math.round(fromUnit(+v.load_kg) * 1000) / 1000 }), ...more,
  })

  const assign = d => ask(t.assignTo(called(d)), [whom(d.assignment), el('label', { class: 'choice' }, el('input', { type: 'checkbox', name: 'warmup', checked: !!d.assignment?.warmup }), ' ', t.warmup)], t.assign, async v => {
    await api('PUT', at(d) + '/assignment' + query({ site: d.site }), lifts(v, v.warmup && { warmup: true }))
    notice(t.assigned(named(v.athlete), called(d)))
  }, readDevices)

  const change = d => edit(t.editOf(called(d)), at(d) + query({ site: d.site }), stored => [
    field(t.name, el('input', { name: 'name', maxlength: 200, value: stored.name || '' })),
    field(t.rack, el('input', { name: 'rack', maxlength: 200, value: stored.rack || '' }), t.aboutRack),
    field(text.note, el('input', { name: 'note', maxlength: 2000, value: stored.note || '' })),
  ], v => v, () => { notice(t.saved); return readDevices() })

  // add describes a device that was not heard of yet and, for an admin, makes what it
  // connects with.
  function add() {
    const several = field(t.devices, el('input', { name: 'devices', autocapitalize: 'none', spellcheck: 'false' }), t.aboutDevices)
    const rack = field(t.rack, el('input', { name: 'rack', maxlength: 200 }), t.aboutRack)
    const named = kind => ['gateway', 'watcher'].includes(kind)
    const follow = kind => { several.hidden = !named(kind); rack.hidden = kind !== 'device' }
    const kinds = admin ? ['device', 'gateway', 'kiosk', 'watcher', 'described'] : ['described']
    follow(kinds[0])
    rack.hidden = false
    ask(t.add, [
      admin ? field(t.kind, choice('kind', kinds.map(k => [k, t.kinds[k]]), 'device', { onchange: e => { follow(e.target.value); rack.hidden = !['device', 'described'].includes(e.target.value) } })) : el('p', { class: 'soft' }, t.describeOnly),
      field(text.site, siteChoice(sites, look.site || me.site)),
      field(t.id, el('input', { name: 'name', required: true, ...ID }), t.aboutId),
      rack, several,
    ], t.add, async v => {
      const kind = v.kind || 'described'
      const described = kind === 'device' || kind === 'described'
      let made
      if (kind !== 'described') {
        const devices = (v.devices || '').split(/[\s,]+/).filter(Boolean)
        made = (await api('POST', '/credentials', { kind, site: v.site, name: v.name, ...(named(kind) && { devices }) })).data
      }
      // What is said of the device can be said again; the password cannot.
      if (described) await api('PATCH', `/devices/${v.name}` + query({ site: v.site }), { rack: v.rack }).catch(cause => { if (!made) throw cause; notice(cause.message) })
      return made
    }, made => {
      const again = () => Promise.all([readDevices(), readKeys()])
      if (made) showCredential(made, again)
      else { notice(t.saved); again() }
    })
  }

  async function readKeys() {
    if (!admin) return
    const found = await all('/credentials')
    refill(keys, found.length ? table(t.keys, t.keyHead, found.map(c => [c.username, t.kinds[c.kind], c.kind === 'kiosk' ? t.wholeSite : (c.devices || []).join(', '), day(c.created),
      action(t.revoke, c.username, () => sure(t.revokeOf(c.username), t.aboutRevoke, t.revoke, () => api('DELETE', `/credentials/${c.site}/${c.name}`), () => { notice(t.revoked); return readKeys() }), { danger: true, of: c.username })])) : empty(t.noKeys))
  }

  async function readNobody() {
    const found = await all('/reps/unassigned' + query({ site: look.site }), { most: 2000 })
    if (!differs('nobody', found)) return
    const runs = []
    for (const r of found) {
      const run = runs.findLast(x => x.site === r.site && x.device === r.device)
      if (run && new Date(r.time) - new Date(run.reps.at(-1).time) < GAP) run.reps.push(r)
      else runs.push({ site: r.site, device: r.device, reps: [r] })
    }
    runs.reverse()
    refill(nobody, runs.length ? table(t.nobody, t.nobodyHead, runs.map(x => {
      const first = x.reps[0].time, last = x.reps.at(-1).time
      return [x.device, `${day(first)}, ${clock(first)}–${clock(last)}`, t.reps(x.reps.length), speed(Math.max(...x.reps.map(r => r.mean_velocity_mps))),
        action(t.give, x.site + '/' + x.device + first, () => give(x, first, last), { of: `${x.device}, ${moment(first)}` })]
    })) : empty(t.noNobody))
  }

  // give says afterwards who was on the bar: from the first of the reps to behind the
  // last. The end comes first, so that nobody is on the bar now because of it.
  const give = (x, first, last) => ask(t.giveOf(x.reps.length, x.device, moment(first)), whom({ exercise: x.reps[0].exercise, load_kg: x.reps[0].load_kg }), t.give, async v => {
    const path = `/devices/${x.device}/assignment` + query({ site: x.site })
    await api('PUT', path, { athlete: null, since: new Date(new Date(last).getTime() + 1).toISOString() })
    await api('PUT', path, lifts(v, { since: first }))
    notice(t.given(x.reps.length, named(v.athlete)))
  }, () => Promise.all([readDevices(), readNobody()]))

  const guarded = (read, place) => read().catch(cause => fill(place, problem(cause)))
  const readAll = () => Promise.all([guarded(readDevices, list), guarded(readNobody, nobody)])
  fill(root, el('div', { class: 'titled' }, el('h1', {}, t.title), el('button', { class: 'main', onclick: add }, t.add)),
    sites.length > 1 && el('div', { class: 'row filters' }, field(text.site, siteChoice(sites, look.site, { none: text.everySite, onchange: e => { look.site = e.target.value; readAll(); follow() } }))),
    list, section('nobody', t.nobody, el('p', { class: 'soft' }, t.aboutNobody), nobody),
    admin && section('keys', t.keys, el('p', { class: 'soft' }, t.aboutKeys), keys))

  let dirty, stop = () => {}
  const soon = () => { dirty ??= setTimeout(() => { dirty = undefined; readAll() }, 3000) }
  const follow = () => { stop(); stop = stream('/live' + query({ site: look.site }), { device: soon, rep: r => { if (!r.athlete) soon() }, reset: soon }, s => { if (s === 'live') soon() }) }
  follow()
  const every = setInterval(soon, 30000)
  await Promise.all([readAll(), guarded(readKeys, keys)])
  return () => { stop(); clearTimeout(dirty); clearInterval(every) }
}

// showCredential shows what a client connects with, this once.
export function showCredential(made, done) {
  once(t.made(made.username), t.shownOnce, [...(made.url ? [[t.broker, made.url]] : []), [t.username, made.username], [t.password, made.password]], { qr: made.qr, qrSays: t.qr, done })
}
