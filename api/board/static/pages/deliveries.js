// Who is told of alerts, by which channel, and what became of it.
import { ago, all, api, badge, el, empty, field, fill, get, learnNames, moment, named, notice, number, query } from '../core.js'
import { action, ask, check, choice, once, paged, refill, section, siteChoice, sure, table, zoneInput } from '../manage.js'
import { text } from '../text.js'

const t = text.deliveries

export async function mount(root, { me }) {
  const admin = me.role === 'admin'
  const [sites, names] = await Promise.all([all('/sites'), learnNames()])
  const [teams, rules] = admin ? await Promise.all([all('/teams'), all('/rules')]) : [[], []]
  const list = el('div')
  const look = { channel: '', state: '', site: me.site || '' }
  let channels = []

  async function read() {
    channels = await all('/channels')
    refill(list, channels.length ? table(t.channels, t.head, channels.map(row)) : empty(t.none))
    drawFilters()
  }

  const tells = c => [
    c.kind === 'athlete' ? named(c.athlete) : c.site || text.everySite, ...(c.teams || []),
    t.from(text.severity[c.min_severity || (c.kind === 'athlete' ? 'urgent' : 'warning')]), ...(c.rules || []), c.digest && t.digestToo, c.quiet && t.quietFrom(c.quiet.from, c.quiet.to),
  ].filter(Boolean).join(', ')
  const row = c => {
    const said = el('div', { class: 'small', role: 'status' })
    return [c.name, t.kinds[c.kind], el('code', { class: 'small' }, c.webhook ? c.webhook.url : c.url), tells(c),
      el('span', { class: 'badge ' + (c.disabled ? 'soft' : 'good') }, c.disabled ? t.off : t.on),
      [el('div', { class: 'row' },
        action(t.test, c.id, async () => {
          fill(said, t.testing)
          const { data } = await api('POST', `/channels/${c.id}/test`).catch(cause => ({ data: { ok: false, answer: cause.message } }))
          said.className = 'small ' + (data.ok ? 'good' : 'critical')
          fill(said, (data.ok ? t.taken : t.notTaken)(data.answer, number(data.took_ms)))
        }, { of: c.name }),
        action(t.edit, c.id, async () => change((await api('GET', '/channels/' + c.id)).data), { of: c.name }),
        action(c.disabled ? t.enable : t.disable, c.id, async () => { await api('PATCH', '/channels/' + c.id, { disabled: !c.disabled }); await read() }, { of: c.name }),
        action(text.remove, c.id, () => sure(t.removeOf(c.name), t.aboutRemove, text.remove, () => api('DELETE', '/channels/' + c.id), read), { danger: true, of: c.name })), said]]
  }

  // fields are those of a channel; an address is shown without its secret parts, and may
  // be sent back so.
  function fields(c) {
    const service = field(t.url, el('input', { name: 'url', value: c.url || '', autocomplete: 'off', spellcheck: 'false', placeholder: 'ntfy://ntfy.sh/topic' }), t.aboutUrl)
    const hook = el('fieldset', {}, el('legend', {}, t.vias.webhook),
      field(t.hookUrl, el('input', { name: 'webhook.url', value: c.webhook?.url || '', autocomplete: 'off', spellcheck: 'false', placeholder: 'https://' })),
      field(t.secret, el('input', { name: 'webhook.secret', autocomplete: 'off', minlength: 16 }), c.webhook ? t.secretStays : t.aboutSecret))
    const athlete = field(t.athlete, choice('athlete', [['', t.choose], ...[...names].map(([id, name]) => [id, name])], c.athlete))
    const wider = el('div', {}, field(text.site, siteChoice(sites, c.site, { none: text.everySite })),
      teams.length > 0 && el('fieldset', {}, el('legend', {}, t.teams), [...new Set(teams.map(x => x.id))].map(id => check('team ' + id, id, c.teams?.includes(id)))),
      check('digest', t.digest, c.digest))
    const follow = form => { service.hidden = form.via === 'webhook'; hook.hidden = !service.hidden; athlete.hidden = form.kind !== 'athlete'; wider.hidden = !athlete.hidden }
    const now = { via: c.webhook ? 'webhook' : 'service', kind: c.kind || 'coach' }
    const picked = name => e => { now[name] = e.target.value; follow(now) }
    follow(now)
    return [
      field(t.name, el('input', { name: 'name', required: true, maxlength: 100, value: c.name || '' })),
      field(t.kind, choice('kind', Object.entries(t.kinds), now.kind, { onchange: picked('kind') }), t.aboutKind),
      field(t.via, choice('via', Object.entries(t.vias), now.via, { onchange: picked('via') })), service, hook, athlete, wider,
      field(t.least, choice('min_severity', [['', t.usual], ...['warning', 'critical', 'urgent'].map(s => [s, text.severity[s]])], c.min_severity)),
      el('p', {}, check('names', t.names, c.names)),
      el('details', {}, el('summary', {}, t.more),
        el('fieldset', {}, el('legend', {}, t.rules), el('small', { class: 'soft' }, t.aboutRules, ' '), rules.map(r => check('rule ' + r.rule, r.rule, c.rules?.includes(r.rule)))),
        el('fieldset', {}, el('legend', {}, t.quiet), field(t.quietStart, el('input', { name: 'quiet.from', type: 'time', value: c.quiet?.from || '' })), field(t.quietEnd, el('input', { name: 'quiet.to', type: 'time', value: c.quiet?.to || '' })),
          check('critical', t.criticalToo, c.quiet?.critical), field(t.zone, zoneInput('zone', c.zone), t.aboutZone)),
        el('fieldset', {}, el('legend', {}, t.group), [['wait_s', 0, 3600, 30], ['interval_s', 0, 86400, 300], ['repeat_s', 600, 86400, 14400]].map(([name, min, max, usual]) =>
          field(t.groups[name], el('input', { name: 'group.' + name, type: 'number', min, max, value: c.group?.[name] ?? '', placeholder: usual }))))),
    ]
  }

  // body makes the settings of what was typed. null takes away what was there.
  function body(v, was) {
    const marked = what => Object.keys(v).filter(k => k.startsWith(what)).map(k => k.slice(what.length))
    const own = v.kind === 'athlete'
    const some = value => value === '' || value === undefined || value?.length === 0 ? (was ? null : undefined) : value
    const group = Object.fromEntries(['wait_s', 'interval_s', 'repeat_s'].filter(k => v['group.' + k] !== '').map(k => [k, +v['group.' + k]]))
    return {
      name: v.name, kind: v.kind,
      url: some(v.via === 'service' ? v.url : ''),
      webhook: v.via === 'webhook' ? { url: v['webhook.url'], ...(v['webhook.secret'] && { secret: v['webhook.secret'] }) } : some(''),
      athlete: some(own ? v.athlete : ''), site: some(own ? '' : v.site), teams: some(own ? [] : marked('team ')),
      min_severity: some(v.min_severity), rules: some(marked('rule ')), zone: some(v.zone),
      quiet: some(v['quiet.from'] || v['quiet.to'] ? { from: v['quiet.from'], to: v['quiet.to'], ...(v.critical && { critical: true }) } : ''),
      group: Object.keys(group).length ? { ...(was && { wait_s: null, interval_s: null, repeat_s: null }), ...group } : some(''),
      digest: !own && !!v.digest, names: !!v.names,
    }
  }

  const add = () => ask(t.add, fields({}), t.add, async v => (await api('POST', '/channels', body(v))).data, made => {
    if (made.secret) return once(t.made(made.name), t.secretOnce, [[t.secret, made.secret]], { done: read })
    notice(t.saved)
    return read()
  })
  const change = c => ask(t.editOf(c.name), fields(c), text.save, v => api('PATCH', '/channels/' + c.id, body(v, c)), () => { notice(t.saved); return read() })

  const filters = el('div', { class: 'row filters' })
  const log = paged(cursor => get('/deliveries' + query({ ...look, limit: 50, cursor })), items => items.length ? table(t.log, t.logHead, items.map(d => [
    el('time', { datetime: d.created, title: moment(d.created) }, ago(d.created)),
    d.channel ? channels.find(c => c.id === d.channel)?.name || d.channel : t.nobody, t.types[d.type] || d.type,
    d.athlete && el('a', { href: '/athletes/' + d.athlete }, named(d.athlete)), d.severity && badge(d.severity),
    [el('span', { class: { sent: 'good', failed: 'critical', waiting: 'warning' }[d.state] || 'soft' }, t.states[d.state] || d.state), d.state === 'waiting' && el('div', { class: 'small soft' }, t.due(moment(d.due)))],
    d.attempts > 1 ? t.attempts(d.attempts) : '', d.answer && el('span', { class: 'small' }, d.answer)])) : empty(t.noLog))
  function drawFilters() {
    const pick = (label, name, options) => field(label, choice('look-' + name, options, look[name], { onchange: e => { look[name] = e.target.value; log.read() } }))
    refill(filters, pick(t.channel, 'channel', [['', t.every], ['mqtt', 'mqtt'], ...channels.map(c => [c.id, c.name])]),
      pick(t.state, 'state', [['', t.every], ...Object.entries(t.states)]),
      sites.length > 1 && pick(text.site, 'site', [['', text.everySite], ...sites.map(s => [s.id, s.name || s.id])]),
      el('button', { onclick: () => log.read() }, t.refresh))
  }

  fill(root, el('div', { class: 'titled' }, el('h1', {}, text.nav.deliveries), admin && el('button', { class: 'main', onclick: add }, t.add)),
    admin && section('channels', t.channels, list), section('log', t.log, el('p', { class: 'soft' }, t.aboutLog), filters, log.node))
  if (admin) await read()
  else drawFilters()
  await log.read()
}
