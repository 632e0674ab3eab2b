// Links to the tables of reps and sets, for whoever goes on in R, Python or a spreadsheet.
import { el, query } from '../core.js'
import { text } from '../text.js'

const t = text.exports

// exportLinks are those of the athlete, or of the site's or team's athletes.
export const exportLinks = of => el('details', { class: 'exports' }, el('summary', {}, t.open), el('p', { class: 'small soft' }, t.about),
  el('div', { class: 'row' }, ['sets', 'reps'].flatMap(what => ['csv', 'parquet'].map(format =>
    el('a', { class: 'button', href: `/api/v1/exports/${what}` + query({ ...of, format }), download: true }, t[what][format])))))
