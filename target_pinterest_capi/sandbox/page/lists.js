// Customer lists with their sizes and last updates, audiences, deletion requests, and the check of a file of old events.

import {ask, cell, chip, counted, el, find, moment, number, remake, setText} from './dom.js'

const TONES = {READY: 'good', TOO_SMALL: 'warn', SUBMITTED: 'good', PENDING: 'warn'}
const state = status => chip(TONES[status] ?? 'plain', status)

export function showLists(part) {
  const open = new Set([...document.querySelectorAll('#held-lists details[open]')].map(one => one.dataset.list))
  fill('lists', part.lists, part.lists_total, listRow)
  for (const one of document.querySelectorAll('#held-lists details')) one.open = open.has(one.dataset.list)
  fill('audiences', part.audiences, part.audiences_total, audienceRow)
  fill('deletions', part.deletions, part.deletions_total, deletionRow)
}

function fill(name, rows, total, make) {
  remake(find(`#held-${name}`), ...rows.map(make))
  find(`[data-empty="${name}"]`).hidden = rows.length > 0
  const more = find(`[data-more="${name}"]`)
  more.hidden = total <= rows.length
  setText(more, `The latest ${number(rows.length)} of ${number(total)}.`)
}

const fact = (name, ...words) => el('div', {}, el('dt', {}, name), el('dd', {}, ...words))

const listRow = list => el('article', {class: 'held'},
  el('div', {class: 'title'}, el('h3', {class: 'value'}, list.name), state(list.status)),
  el('p', {class: 'size'}, el('b', {}, number(list.size)), ` ${list.size === 1 ? 'member' : 'members'} `, el('span', {class: 'soft'}, list.list_type ? `of ${list.list_type}` : 'of several identifiers')),
  el('dl', {class: 'facts small'},
    fact('Id', list.id),
    fact('Ad account', list.ad_account_id),
    list.rows.length > 0 && fact('Identifiers of rows', list.rows.map(([name, count]) => `${name} ${number(count)}`).join(', ')),
    list.is_nca && fact('For', 'new customers'),
    fact('Records added', number(list.num_uploaded_user_records)),
    fact('Records removed', number(list.num_removed_user_records)),
    fact('Not identifiers, last request', number(list.invalid)),
    fact('Updated', moment(list.updated_time))),
  list.updates.length > 0 && el('details', {'data-list': list.id}, el('summary', {'data-key': list.id}, 'Last updates'), updates(list.updates)),
)

const updates = rows => el('table', {class: 'stack', role: 'table'},
  el('thead', {}, el('tr', {}, ...['Operation', 'Records', 'Not identifiers', 'Members changed', 'Request', 'At'].map((head, place) =>
    el('th', {scope: 'col', class: place > 0 && 'number'}, head)))),
  el('tbody', {role: 'rowgroup'}, ...rows.map(row => el('tr', {role: 'row'},
    el('th', {scope: 'row', role: 'rowheader'}, row.operation),
    cell('records', {class: 'number'}, number(row.records)),
    cell('not identifiers', {class: 'number'}, number(row.invalid)),
    cell('members changed', {class: 'number'}, number(row.changed)),
    cell('request', {class: 'number'}, number(row.request)),
    cell('', {class: 'number'}, moment(row.at))))))

const audienceRow = audience => el('article', {class: 'held'},
  el('div', {class: 'title'}, el('h3', {class: 'value'}, audience.name), state(audience.status)),
  audience.description && el('p', {class: 'soft value'}, audience.description),
  el('dl', {class: 'facts small'},
    fact('Id', audience.id),
    fact('Of the list', audience.rule.customer_list_id),
    fact('Size', audience.size === null ? 'not yet known' : counted(audience.size, 'member')),
    fact('Created', moment(audience.created_timestamp))),
)

const deletionRow = request => el('article', {class: 'held'},
  el('div', {class: 'title'}, el('h3', {class: 'value'}, request.request_id), state(request.status)),
  el('dl', {class: 'facts small'},
    fact('Ad account', request.ad_account_id),
    fact('E-mail addresses', number(request.emails)),
    fact('Click ids', number(request.click_ids)),
    fact('Created', moment(request.created_at)),
    fact('Processed', request.processed_time ?? 'not yet')),
)

async function verdict(file) {
  try {
    const {rows, problems} = await ask('/_sandbox/conversion_files', 'POST', file)
    return problems.length === 0 ? [el('p', {}, chip('good', 'Taken'), ` Ads Manager would take its ${counted(rows, 'row')}.`)] :
      [el('p', {}, chip('bad', 'Not taken'), ` It has ${counted(rows, 'row')}.`), el('ul', {}, ...problems.map(words => el('li', {}, words)))]
  } catch (problem) {
    return [el('p', {}, problem.message)]
  }
}

find('#conversion-file').addEventListener('change', async ({target}) => {
  const [file] = target.files
  remake(find('#conversion-verdict'), ...file ? await verdict(file) : [])
})
