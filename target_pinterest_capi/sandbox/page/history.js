// The history: events by name and source, and the last minutes as columns.

import {cell, el, find, moment, number, remake, svg, setText} from './dom.js'

const LABELS = 5

/** Show the groups; `address` gives where a group's events are. */
export function showGroups(received, address) {
  const table = find('#groups')
  remake(find('tbody', table), ...received.groups.map(group => groupRow(group, address)))
  table.hidden = !received.groups.length
  find('[data-empty]', table.parentElement).hidden = !table.hidden
  const missed = find('#uncounted')
  missed.hidden = !received.uncounted
  setText(missed, `${number(received.uncounted)} earlier events are in the totals above only: they were let go before this page looked.`)
}

function groupRow(group, address) {
  const count = (of, count, tone) => cell(of, {class: `number${count ? tone : ' none'}`}, number(count))
  const name = group.action_source ? el('a', {href: address(group), 'data-key': address(group)}, group.event_name || '(empty)') : 'all other names'
  return el('tr', {role: 'row'},
    el('th', {scope: 'row', role: 'rowheader', class: 'value'}, name),
    cell('', {class: 'source'}, group.action_source),
    count('processed', group.processed, ''),
    count('failed', group.failed, ' bad-text'),
    count('with a warning', group.warnings, ' warn-text'),
    count('duplicates', group.duplicates, ''),
    cell('last', {class: 'number'}, moment(group.last)),
  )
}

function niceTop(highest) {
  for (let size = 2; ; size *= 10) {
    const step = [1, 2, 3, 5].find(step => highest <= step * size)
    if (step) return step * size
  }
}

/** Draw the columns of the last minutes before `now`. */
export function showChart(received, now) {
  const {column_seconds: width, columns_shown: slots} = received
  const end = (Math.floor(now / width) + 1) * width
  const begin = end - slots * width
  const columns = received.columns.filter(([start]) => start >= begin)
  const sum = place => columns.reduce((total, column) => total + column[place], 0)
  const chart = find('#chart')
  if (!columns.length) {
    chart.replaceChildren(el('p', {class: 'soft'}, 'Nothing was received in the last five minutes.'))
    return
  }
  const top = niceTop(Math.max(...columns.map(([, processed, failed]) => processed + failed)))
  const bar = (start, count, below, tone) => count && svg('rect', {
    x: `${100 * ((start - begin) / width + 0.1) / slots}%`, width: `${80 / slots}%`, class: tone,
    y: `${100 - 100 * (count + below) / top}%`, height: `${100 * count / top}%`,
  })
  const lines = [0, 50, 100].map(y => svg('line', {x1: '0', x2: '100%', y1: `${y}%`, y2: `${y}%`}))
  const bars = columns.flatMap(([start, processed, failed]) => [
    bar(start, processed, 0, 'processed'), bar(start, failed, processed, 'failed'),
  ])
  const words = `${number(sum(1))} events processed and ${number(sum(2))} failed in the last five minutes`
  const labels = Array.from({length: LABELS}, (_, place) => {
    const label = el('span', {class: place % 2 > 0 && 'second'}, place === 0 ? '5 min ago' : `${5 - place} min`)
    label.style.left = `${100 * place / LABELS}%`
    return label
  })
  chart.replaceChildren(
    el('div', {class: 'chart'},
      el('div', {class: 'scale', 'aria-hidden': 'true'}, ...[top, top / 2, 0].map(value => el('span', {}, number(value)))),
      svg('svg', {role: 'img', 'aria-label': words}, ...lines, ...bars.filter(Boolean)),
      el('div', {class: 'days', 'aria-hidden': 'true'}, ...labels)),
    el('p', {class: 'legend small'},
      el('span', {class: 'key delivered'}, `${number(sum(1))} processed`),
      el('span', {class: 'key rejected'}, `${number(sum(2))} failed`)),
  )
}
