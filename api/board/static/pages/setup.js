// The first run: a site, a sensor, an athlete, and the first rep. What is there already
// is passed over, so that it can be left and taken up again.
import { ago, all, api, el, field, fill, form, fromUnit, get, learnNames, load, named, notice, problem, query, speed, stream, unit } from '../core.js'
import { choice, given, ID, idOf, refill, titled, zoneInput } from '../manage.js'
import { text } from '../text.js'

const t = text.setup

export async function mount(root) {
  const at = { site: '', device: '', athlete: '', secret: undefined, rep: undefined }
  const place = el('ol', { class: 'steps' })
  let sites, devices, athletes, keys, exercises, stop = () => {}, following

  async function read() {
    [sites, devices, athletes, keys] = await Promise.all([all('/sites'), all('/devices'), all('/athletes'), all('/credentials')])
    await learnNames()
    at.site = sites.some(s => s.id === at.site) ? at.site : sites[0]?.id || ''
    const here = devices.filter(d => d.site === at.site)
    const login = keys.find(k => k.site === at.site && k.kind === 'device')
    at.device = here.some(d => d.device === at.device) || at.device && keys.some(k => k.username === at.site + '/' + at.device) ? at.device : here[0]?.device || login?.name || ''
    const theirs = athletes.filter(a => a.site === at.site)
    const onBar = here.find(d => d.device === at.device)?.assignment?.athlete
    at.athlete = theirs.some(a => a.id === at.athlete) ? at.athlete : onBar || theirs[0]?.id || ''
  }
  const again = async () => { await read(); draw(); if (following !== at.site) follow() }

  // step is one thing to do. It is done, or its turn, or later.
  const step = (n, id, title, done, turn, ...content) => el('li', { class: 'card' + (done ? ' done' : ''), 'aria-current': turn && !done ? 'step' : undefined },
    el('h2', { id }, `${n}. ${title}`, done && el('span', { class: 'good' }, ' ✓', el('span', { class: 'small' }, ' ', t.done))), (done || turn) && content)

  // other lets one choose what is there, or add another one.
  const other = (name, items, chosen) => items.length > 1 && field(t.work, choice(name, items, chosen, { onchange: e => { at[name] = e.target.value; if (name !== 'athlete') at.secret = undefined; again() } }))
  const another = (label, ...content) => el('details', {}, el('summary', {}, label), content)

  function siteForm() {
    const id = el('input', { name: 'id', required: true, ...ID, value: sites.length ? '' : 'main', oninput: e => { e.target.dataset.written = 'yes' } })
    return form({}, [
      field(t.siteName, el('input', { name: 'name', maxlength: 200, autocomplete: 'off', oninput: e => { if (!id.dataset.written) id.value = idOf(e.target.value) } })),
      field(t.siteId, id, t.aboutId), field(t.zone, zoneInput('zone', Intl.DateTimeFormat().resolvedOptions().timeZone), t.aboutZone),
    ], t.addSite, async v => { at.site = (await api('POST', '/sites', v)).data.id; await again() })
  }

  const deviceForm = () => form({}, [
    field(t.deviceId, el('input', { name: 'name', required: true, ...ID, value: devices.some(d => d.site === at.site && d.device === 'rack-1') ? '' : 'rack-1' }), t.aboutDevice),
    field(t.rack, el('input', { name: 'rack', maxlength: 200, value: devices.some(d => d.site === at.site) ? '' : '1' }), t.aboutRack),
  ], t.addDevice, async v => {
    let made
    try {
      made = (await api('POST', '/credentials', { kind: 'device', site: at.site, name: v.name })).data
    } catch (cause) {
      if (cause.status !== 409 || cause.field) throw cause
      notice(cause.message) // another's broker keeps its own credentials
    }
    await api('PATCH', `/devices/${v.name}` + query({ site: at.site }), { rack: v.rack })
    at.device = v.name
    at.secret = made
    await again()
  })

  // renew makes another password where nobody has the old one any more.
  async function renew() {
    await api('DELETE', `/credentials/${at.site}/${at.device}`)
    at.secret = (await api('POST', '/credentials', { kind: 'device', site: at.site, name: at.device })).data
    await again()
  }

  function device() {
    const known = keys.find(k => k.username === at.site + '/' + at.device)
    const s = at.secret?.name === at.device ? at.secret : undefined
    return [
      s && [el('p', {}, t.shownOnce), s.url && given(t.broker, s.url), given(t.username, s.username), given(t.password, s.password), s.qr && [el('p', { class: 'soft' }, t.aboutQr), el('img', { class: 'qr', src: s.qr, alt: t.qr })]],
      !s && known && el('p', {}, t.hasCredential, ' ', el('button', { onclick: e => renew().catch(cause => e.target.after(problem(cause))) }, t.renew)),
    ]
  }

  const athleteForm = () => form({}, [
    field(t.athleteName, el('input', { name: 'name', maxlength: 200, autocomplete: 'off' })),
    field(t.athleteId, el('input', { name: 'id', ...ID }), t.aboutAthlete),
  ], t.addAthlete, async v => { at.athlete = (await api('POST', '/athletes', { site: at.site, ...(v.name && { name: v.name }), ...(v.id && { id: v.id }) })).data.id; await again() })

  const assignForm = () => form({}, [
    field(t.exercise, choice('exercise', exercises.map(e => [e.id, e.name || e.id]), 'deadlift')),
    field(t.load(unit()), el('input', { name: 'load_kg', type: 'number', min: 0, step: 'any', inputmode: 'decimal', required: true, value: unit() === 'lb' ? 135 : 60 })),
  ], t.assign(named(at.athlete), at.device), async v => {
    await api('PUT', `/devices/${at.device}/assignment` + query({ site: at.site }), { athlete: at.athlete, exercise: v.exercise, load_kg: Math.round(fromUnit(+v.load_kg) * 1000) / 1000 })
    await again()
  })

  // line is what somebody without a sensor at hand types to be one.
  function line() {
    const known = at.secret?.name === at.device ? at.secret : keys.find(k => k.username === at.site + '/' + at.device)
    const broker = new URL((known?.url || 'mqtt://' + location.hostname).replace(/^mqtt/, 'http'))
    const safe = broker.protocol === 'https:'
    const login = known ? ` -u ${known.username} -P ${known.password || 'PASSWORD'}` : ''
    return `mosquitto_pub -h ${broker.hostname.replace(/[[\]]/g, '')} -p ${broker.port || (safe ? 8883 : 1883)}${safe ? ' --cafile ca.pem' : ''}${login} -q 1 -t spotter/v1/${at.site}/device/${at.device}/rep -m '{"boot_id":"try","seq":'$(date +%s)',"time":"'$(date -u +%Y-%m-%dT%H:%M:%SZ)'","mean_velocity_mps":0.52}'`
  }

  const arrived = el('div', { 'aria-live': 'polite' })
  function drawRep() {
    const d = devices.find(x => x.site === at.site && x.device === at.device)
    arrived.closest('li')?.classList.toggle('done', !!at.rep)
    fill(arrived, at.rep ? [el('p', { class: 'arrived good' }, t.arrived(speed(at.rep.mean_velocity_mps), at.rep.athlete ? named(at.rep.athlete) : text.nobody, at.rep.load_kg === undefined ? '' : load(at.rep.load_kg))),
      el('p', {}, el('a', { href: '/wall?site=' + at.site }, t.toWall), ' · ', el('a', { href: '/' }, t.toDesk), at.rep.athlete && [' · ', el('a', { href: '/athletes/' + at.rep.athlete }, named(at.rep.athlete))])]
      : [el('p', { class: 'soft' }, t.waiting), d?.seen && el('p', { class: 'small soft' }, t.heard(ago(d.seen)))])
  }

  function draw() {
    const here = devices.filter(d => d.site === at.site), theirs = athletes.filter(a => a.site === at.site)
    const on = here.find(d => d.device === at.device)?.assignment
    const choices = [...new Set([...here.map(d => d.device), ...keys.filter(k => k.site === at.site && k.kind === 'device').map(k => k.name)])]
    refill(place,
      step(1, 'step-site', t.site, at.site, true, at.site ? [el('p', {}, titled(sites.find(s => s.id === at.site))), other('site', sites.map(s => [s.id, titled(s)]), at.site), another(t.addSite, siteForm())] : siteForm()),
      step(2, 'step-device', t.device, at.device, at.site, at.device ? [el('p', {}, at.device), other('device', choices, at.device), device(), another(t.addDevice, deviceForm())] : deviceForm()),
      step(3, 'step-athlete', t.athlete, at.athlete, at.device, at.athlete ? [el('p', {}, named(at.athlete)), other('athlete', theirs.map(a => [a.id, titled(a)]), at.athlete), another(t.addAthlete, athleteForm())] : athleteForm()),
      step(4, 'step-bar', t.bar, on?.athlete && on.athlete === at.athlete, at.athlete, on?.athlete && on.athlete === at.athlete
        ? [el('p', {}, t.isOn(named(on.athlete), at.device, on.exercise || '', on.load_kg === undefined ? '' : load(on.load_kg))), another(t.change, assignForm())] : [on && el('p', {}, t.otherOn(named(on.athlete), at.device)), assignForm()]),
      step(5, 'step-rep', t.rep, at.rep, on, el('p', {}, t.aboutRep), given(t.line, line(), { lines: 4 }), el('p', { class: 'small soft' }, t.aboutLine), arrived))
    drawRep()
  }

  function follow() {
    stop()
    following = at.site
    stop = at.site ? stream('/live' + query({ site: at.site }), {
      rep: r => {
        if (r.device !== at.device) return
        at.rep = r
        drawRep() // and nothing else: somebody may be typing
      },
    }) : () => {}
  }

  // What came before this page was opened counts too.
  async function recall() {
    if (!at.athlete || at.rep) return
    const found = await get(`/athletes/${at.athlete}/reps` + query({ limit: 500, from: new Date(Date.now() - 86400000).toISOString() }))
    at.rep = found.items.findLast(r => r.device === at.device)
  }

  exercises = await all('/exercises')
  await read()
  await recall()
  fill(root, el('h1', {}, t.title), el('p', { class: 'soft' }, t.about), place)
  draw()
  follow()
  return () => stop()
}
