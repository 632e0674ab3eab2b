// A chart: uPlot with axes that say what they show, zoom by mouse, touch and keyboard,
// a table of the numbers, and export.
import { el, fill, number, svg } from './core.js'
import { text } from './text.js'

let loading
// uplot loads the library when the first chart is drawn.
function uplot() {
  loading ||= new Promise((done, failed) => {
    document.head.append(
      el('link', { rel: 'stylesheet', href: '/board/vendor/uplot.min.css' }),
      el('link', { rel: 'stylesheet', href: '/board/chart.css' }),
      el('script', { src: '/board/vendor/uplot.min.js', onload: () => done(window.uPlot), onerror: () => { loading = undefined; failed(new Error(text.chart.missing)) } }))
  })
  return loading
}

const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim()
const DAY = 86400
const said = (s, v) => v === undefined || v === null ? '–' : number(v, s.digits ?? 0) + (s.unit ? ' ' + s.unit : '')

// seconds is the place of a time on an axis of time.
export const seconds = at => new Date(at).getTime() / 1000

// together makes charts of one stretch of time zoom as one.
export function together() {
  const charts = new Set()
  let busy = false
  return {
    add: c => charts.add(c),
    remove: c => charts.delete(c),
    show(from, min, max) {
      if (busy) return
      busy = true
      for (const c of charts) if (c !== from) c.range(min, max)
      busy = false
    },
  }
}

// chart draws
//   title, name      what it is called, and its file
//   x                {label, values, time: true or unit and digits, ticks: true for one mark a value, say(value, index)}, values ascending
//   axes             [{scale, label, unit, range: [from, to], zero: true}], the second on the right
//   series           [{label, scale, values, unit, digits, draw: 'bars'|'line'|'points', colour, dash, size}], null where there is nothing
//   bands            [{series: [upper, lower], colour}], by the index of the series
//   spans            [{from, to, label, colour}], stretches of x that are marked
//   group            of together
// and returns the figure; its stop() ends it.
export function chart(spec) {
  const { x, axes, series, bands = [], spans = [] } = spec
  const plot = el('div', { class: 'plot', tabindex: 0, role: 'group', 'aria-roledescription': text.chart.role, 'aria-label': spec.title + '. ' + text.chart.keys })
  const readout = el('p', { class: 'readout small soft', 'aria-live': 'polite' }, text.chart.hint)
  const sayX = x.say || (x.time ? v => new Date(v * 1000).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' }) : v => said(x, v))
  const pad = x.time ? 4 * DAY : Math.max(1, (x.values.at(-1) - x.values[0]) * 0.05)
  const least = x.range?.[0] ?? x.values[0] - pad, most = x.range?.[1] ?? x.values.at(-1) + pad
  let u, at = null

  const shown = () => [u.scales.x.min, u.scales.x.max]
  const range = (min, max) => u?.setScale('x', { min, max })
  const zoom = factor => {
    const [min, max] = shown()
    const middle = at === null ? (min + max) / 2 : Math.min(max, Math.max(min, x.values[at]))
    const from = Math.max(least, middle - (middle - min) * factor), to = Math.min(most, middle + (max - middle) * factor)
    if (to - from > (most - least) / 500) range(from, to)
  }
  const pan = share => {
    const [min, max] = shown()
    const by = Math.min(most - max, Math.max(least - min, (max - min) * share))
    range(min + by, max + by)
  }
  const whole = () => range(least, most)
  const step = by => {
    at = at === null ? (by > 0 ? 0 : x.values.length - 1) : Math.min(x.values.length - 1, Math.max(0, at + by))
    const [min, max] = shown()
    if (x.values[at] < min || x.values[at] > max) range(Math.max(least, x.values[at] - (max - min) / 2), Math.min(most, x.values[at] + (max - min) / 2))
    const y = series.findIndex(s => s.values[at] !== null)
    u.setCursor({ left: u.valToPos(x.values[at], 'x'), top: y < 0 ? 0 : u.valToPos(series[y].values[at], series[y].scale) })
  }
  plot.addEventListener('keydown', event => {
    if (!u || event.ctrlKey || event.metaKey || event.altKey) return
    const does = {
      ArrowLeft: () => event.shiftKey ? pan(-0.25) : step(-1), ArrowRight: () => event.shiftKey ? pan(0.25) : step(1),
      '+': () => zoom(0.6), '=': () => zoom(0.6), '-': () => zoom(1 / 0.6), 0: whole, Escape: whole,
    }[event.key]
    if (!does) return
    event.preventDefault()
    does()
  })

  const read = chart => {
    const i = chart.cursor.idx
    if (i === null || i === undefined) return
    at = i
    const parts = series.filter(s => !s.silent && s.values[i] !== null && s.values[i] !== undefined).map(s => s.label + ' ' + said(s, s.values[i]))
    readout.textContent = sayX(x.values[i], i) + ': ' + (parts.join(', ') || text.none)
  }
  const options = (uPlot, width) => ({
    width, height: spec.height || 260, legend: { show: false },
    cursor: { drag: { x: true, y: false, uni: 20 }, points: { size: 9 }, y: false },
    scales: {
      x: { time: !!x.time, range: (_, min, max) => [min ?? least, max ?? most], min: least, max: most, auto: false },
      ...Object.fromEntries(axes.map(a => [a.scale, { range: (_, lo, hi) => a.range || limits(lo, hi, a.zero) }])),
    },
    axes: [
      {
        label: x.label + (x.unit ? ` (${x.unit})` : ''), labelSize: 22, size: 34, stroke: () => colour('--soft'), grid: { stroke: () => colour('--line'), width: 1 }, ticks: { stroke: () => colour('--line') },
        font: '12px system-ui, sans-serif', labelFont: '13px system-ui, sans-serif', space: 60,
        ...(x.ticks && { splits: c => thinned(x.values, c) }),
        ...(x.time && { incrs: [1, 2, 3, 7, 14, 28, 56, 112].map(n => n * DAY), values: (_, splits) => splits.map(v => new Date(v * 1000).toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })) }),
      },
      ...axes.map((a, i) => ({
        scale: a.scale, side: i ? 1 : 3, label: a.label + (a.unit ? ` (${a.unit})` : ''), labelSize: 22, size: 60, stroke: () => colour('--soft'),
        grid: { show: !i, stroke: () => colour('--line'), width: 1 }, ticks: { stroke: () => colour('--line') }, font: '12px system-ui, sans-serif', labelFont: '13px system-ui, sans-serif',
        values: (_, splits) => splits.map(v => number(v, decimals(splits))),
      })),
    ],
    series: [{}, ...series.map(s => ({
      label: s.label, scale: s.scale, stroke: () => colour(s.colour), width: s.draw === 'points' ? 0 : s.width ?? 2, dash: s.dash, spanGaps: s.draw === 'line' && s.gaps !== true,
      ...(s.draw === 'bars' && { paths: uPlot.paths.bars({ size: [0.6, 42] }), fill: () => colour(s.colour) + '66', width: 1 }),
      ...(s.draw === 'points' && { paths: () => null }),
      points: { show: s.draw === 'points' || s.draw === 'line' && s.size > 0, size: s.size || 6, stroke: () => colour(s.colour), fill: () => s.hollow ? colour('--card') : colour(s.colour) },
    }))],
    bands: bands.map(b => ({ series: [b.series[0] + 1, b.series[1] + 1], fill: () => colour(b.colour) + '33' })),
    hooks: {
      drawAxes: [c => drawSpans(c, spans)], setCursor: [read],
      setScale: [(c, key) => { if (key === 'x' && u) spec.group?.show(handle, ...shown()) }],
    },
  })
  const handle = { range }
  const watch = new ResizeObserver(([entry]) => { const width = Math.floor(entry.contentRect.width); if (u && width > 0 && width !== u.width) u.setSize({ width, height: u.height }) })
  const scheme = matchMedia('(prefers-color-scheme: dark)')
  const recolour = () => u?.redraw(false)
  scheme.addEventListener('change', recolour)
  let ended = false
  uplot().then(uPlot => {
    if (ended) return
    const data = [x.values, ...series.map(s => s.values)]
    // uPlot takes what it is given as its own: the table and the file read the spec's.
    u = new uPlot(options(uPlot, Math.max(240, plot.clientWidth)), data.map(d => [...d]), plot)
    u.over.addEventListener('dblclick', whole)
    watch.observe(plot)
    spec.group?.add(handle)
  }, cause => fill(plot, el('p', { class: 'problem' }, cause.message)))

  const tool = (name, does) => {
    const [short, label] = text.chart.tools[name]
    return el('button', { type: 'button', onclick: () => u && does(), 'aria-label': `${short}: ${label}: ${spec.title}`, title: label }, short)
  }
  const numbers = el('details', {
    class: 'small', ontoggle: () => {
      if (numbers.open && numbers.childElementCount === 1) numbers.append(el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': spec.title }, table(spec, sayX)))
    },
  }, el('summary', {}, text.chart.numbers))
  const figure = el('figure', { class: 'chart' },
    el('figcaption', { class: 'row' }, el('strong', { class: 'grow' }, spec.title),
      el('span', { class: 'tools' }, tool('closer', () => zoom(0.6)), tool('farther', () => zoom(1 / 0.6)), tool('whole', whole),
        tool('png', () => picture(u, spec)), tool('csv', () => save(new Blob([csv(spec, sayX)], { type: 'text/csv' }), spec.name + '.csv')))),
    legend(series, bands, spans), plot, readout, numbers)
  figure.stop = () => {
    ended = true
    watch.disconnect()
    scheme.removeEventListener('change', recolour)
    spec.group?.remove(handle)
    u?.destroy()
  }
  return figure
}

function limits(lo, hi, zero) {
  if (lo === null || hi === null || lo === undefined || hi === undefined) return [0, 1]
  const room = (hi - (zero ? 0 : lo)) * 0.1 || Math.abs(hi) * 0.1 || 1
  return [zero ? Math.min(0, lo) : lo - room, hi + room]
}

// decimals is how many an axis needs to tell its marks apart.
function decimals(splits) {
  const exact = d => splits.every(v => Math.abs(v * 10 ** d - Math.round(v * 10 ** d)) < 1e-6)
  return exact(0) ? 0 : exact(1) ? 1 : 2
}

// thinned are those values in sight that there is room to name.
function thinned(values, u) {
  const seen = values.filter(v => v >= u.scales.x.min && v <= u.scales.x.max)
  const nth = Math.max(1, Math.ceil(seen.length * 70 / Math.max(1, u.width - 80)))
  return seen.filter((_, i) => i % nth === 0)
}

function drawSpans(u, spans) {
  const { ctx, bbox } = u
  ctx.save()
  ctx.beginPath()
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height)
  ctx.clip()
  const ratio = devicePixelRatio || 1
  ctx.font = `${11 * ratio}px system-ui, sans-serif`
  ctx.textBaseline = 'top'
  ctx.textAlign = 'left'
  for (const s of spans) {
    const from = u.valToPos(s.from, 'x', true), to = Math.max(from + 3 * ratio, u.valToPos(s.to, 'x', true))
    ctx.fillStyle = colour(s.colour) + '2e'
    ctx.fillRect(from, bbox.top, to - from, bbox.height)
    ctx.fillStyle = colour(s.colour)
    ctx.fillRect(from, bbox.top, to - from, 3 * ratio)
    if (to - from > ctx.measureText(s.label).width) ctx.fillText(s.label, from + 2 * ratio, bbox.top + 6 * ratio)
  }
  ctx.restore()
}

function legend(series, bands, spans) {
  const mark = (draw, name, dash) => {
    const shape = { bars: () => svg('rect', { x: 2, y: 3, width: 14, height: 10 }), points: () => svg('circle', { cx: 9, cy: 8, r: 4 }), line: () => svg('line', { x1: 0, y1: 8, x2: 18, y2: 8, 'stroke-width': 3, 'stroke-dasharray': dash && '4 3' }) }[draw]()
    shape.style.fill = shape.style.stroke = `var(${name})`
    if (draw === 'bars') shape.style.fillOpacity = 0.4
    return svg('svg', { width: 18, height: 16, 'aria-hidden': 'true' }, shape)
  }
  const seen = new Set()
  const entries = [...series.filter(s => !s.silent).map(s => [s.draw, s.colour, s.label, s.dash]), ...bands.map(b => ['bars', b.colour, b.label]), ...spans.map(s => ['bars', s.colour, s.kind || s.label])]
  return el('ul', { class: 'legend small' }, entries.filter(([, , label]) => label && !seen.has(label) && seen.add(label)).map(([draw, name, label, dash]) => el('li', {}, mark(draw, name, dash), label)))
}

function table({ x, series }, sayX) {
  return el('table', {}, el('thead', {}, el('tr', {}, [x, ...series].map(c => el('th', { scope: 'col' }, c.label)))),
    el('tbody', {}, x.values.map((v, i) => el('tr', {}, el('th', { scope: 'row' }, sayX(v, i)), series.map(s => el('td', { class: 'number' }, said(s, s.values[i])))))))
}

// cell is a value in a CSV file; a spreadsheet does not take it for a formula.
function cell(v) {
  if (v === null || v === undefined) return ''
  if (typeof v === 'number') return String(v)
  const s = String(v)
  return `"${(/^[=+\-@\t\r]/.test(s) ? "'" + s : s).replaceAll('"', '""')}"`
}

export const lines = rows => rows.map(r => r.map(cell).join(',')).join('\r\n') + '\r\n'

function csv({ x, series }, sayX) {
  const head = [x, ...series].map(c => c.label + (c.unit ? ` (${c.unit})` : ''))
  return lines([head, ...x.values.map((v, i) => [x.say || x.time ? sayX(v, i) : v, ...series.map(s => s.values[i])])])
}

// save offers a file.
export function save(blob, name) {
  const url = URL.createObjectURL(blob)
  el('a', { href: url, download: name }).click()
  setTimeout(() => URL.revokeObjectURL(url), 10000)
}

// picture saves what is shown, with the title and the legend.
function picture(u, { title, name, series }) {
  const from = u.ctx.canvas, ratio = devicePixelRatio || 1
  const line = 24 * ratio
  const to = el('canvas', { width: from.width, height: from.height + 3 * line })
  const ctx = to.getContext('2d')
  ctx.fillStyle = colour('--card')
  ctx.fillRect(0, 0, to.width, to.height)
  ctx.fillStyle = colour('--ink')
  ctx.font = `bold ${15 * ratio}px system-ui, sans-serif`
  ctx.fillText(title, line / 2, line)
  ctx.font = `${12 * ratio}px system-ui, sans-serif`
  let left = line / 2
  for (const s of series.filter(s => !s.silent)) {
    ctx.fillStyle = colour(s.colour)
    ctx.fillRect(left, 1.6 * line, 12 * ratio, 8 * ratio)
    ctx.fillStyle = colour('--ink')
    ctx.fillText(s.label, left + 16 * ratio, 1.95 * line)
    left += ctx.measureText(s.label).width + 32 * ratio
  }
  ctx.drawImage(from, 0, 2.6 * line)
  to.toBlob(blob => save(blob, name + '.png'))
}
