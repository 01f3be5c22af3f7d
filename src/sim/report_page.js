'use strict';

// The page: what ran, whether it held, the numbers, the plots, the map. The data is one report, or a comparison of two.

const data = JSON.parse(document.getElementById('data').textContent);
const runs = data.runs || [data];
const comparing = runs.length > 1;
const runName = index => comparing ? 'AB'[index] : '';
const redraws = [];

function pill(kind, text) {
  return element('span', {class: `pill ${kind}`}, text);
}

function verdictOf(run) {
  const failed = run.checks.filter(check => !check.passed).length;
  const pills = [];
  if (failed) pills.push(pill('bad', `✗ ${failed} of ${run.checks.length} checks failed`));
  else if (run.checks.length) pills.push(pill('good', `✓ ${run.checks.length === 1 ? 'the check' : `all ${run.checks.length} checks`} passed`));
  if (run.interrupted) pills.push(pill('warn', 'interrupted: what was reached by then'));
  return pills;
}

function head(run, index) {
  const seconds = run.wall_ns / 1e9;
  // What is said of a run: a name, a value, and a second line below it.
  const facts = [
    ['Nodes', plain(run.nodes)],
    ['Seed', run.seed],
    ['Fidelity', run.fidelity],
    ['Virtual time', withUnit(run.virtual_ns, 'ns')],
    ['Wall time', withUnit(run.wall_ns, 'ns'), seconds > 0 ? `${plain(Number((run.virtual_ns / run.wall_ns).toPrecision(3)))}× real time` : ''],
    ['Events', plain(run.events), seconds > 0 ? `${plain(Math.round(run.events / seconds))} a second` : ''],
    ['Version', run.version],
    ['Build', run.build],
    ...run.options.map(([name, value]) => [`--${name}`, value || 'set']),
  ];
  return element('header', comparing ? {class: 'card'} : {},
    element('p', {class: 'kicker'}, comparing ? `Run ${runName(index)}` : 'Simulation report'),
    element('div', {class: 'heading'}, element(comparing ? 'h2' : 'h1', comparing ? {style: `margin:0;color:var(--c${index})`} : {}, run.scenario), verdictOf(run)),
    run.summary ? element('p', {class: 'summary'}, run.summary) : null,
    element('dl', {class: 'facts'}, facts.filter(([, value]) => value).map(([name, value, more]) =>
      element('div', {}, element('dt', {}, name), element('dd', {}, value, more ? element('small', {}, more) : null)))),
    element('div', {class: 'again'},
      element('div', {}, element('p', {class: 'what'}, 'Run it again'), element('code', {}, run.replay)),
      run.digest ? element('div', {}, element('p', {class: 'what'}, 'The same run has the same trace sha256'), element('code', {}, run.digest)) : null));
}

function section(title, ...content) {
  return element('section', {}, element('h2', {}, title), content);
}

function mark(passed) {
  return element('span', {class: `mark ${passed ? 'good' : 'bad'}`}, passed ? '✓ passed' : '✗ failed');
}

function checks() {
  if (!runs.some(run => run.checks.length)) return null;
  if (!comparing) {
    const sorted = [...runs[0].checks].sort((a, b) => a.passed - b.passed);
    return section('Checks', element('div', {class: 'card'}, element('ul', {class: 'checks'}, sorted.map(check =>
      element('li', {}, mark(check.passed), element('div', {}, check.name,
        check.detail ? element('div', {class: 'detail'}, check.detail) : null))))));
  }
  const names = [...new Set(runs.flatMap(run => run.checks.map(check => check.name)))];
  const cell = (run, name) => {
    const found = run.checks.find(check => check.name === name);
    return element('td', {class: 'text'}, found ? [mark(found.passed), element('div', {}, found.detail)] : '–');
  };
  return section('Checks', element('div', {class: 'card scroll'}, table(['', 'A', 'B'], names.map(name =>
    element('tr', {}, element('th', {scope: 'row'}, name), runs.map(run => cell(run, name)))), true)));
}

// What went wrong because the run was told so. The JSON has those that are not shown.
const mostFaults = 200;

function faults() {
  const cards = runs.flatMap((run, index) => {
    if (!run.faults || !run.faults.length) return [];
    const rows = run.faults.slice(0, mostFaults).map(fault => element('tr', {},
      element('td', {class: 'text'}, withUnit(fault.at_ns, 'ns')), element('td', {class: 'text'}, `#${fault.index}`),
      element('td', {class: 'text'}, fault.text)));
    const more = run.faults.length - rows.length;
    return [element('div', {class: 'card scroll'}, element('details', {},
      element('summary', {}, [runName(index), counted(run.faults.length, 'fault')].filter(Boolean).join(': ')),
      table(['begins', 'number', 'what went wrong'], rows, true),
      more ? element('p', {class: 'tag'}, `and ${counted(more, 'other')}`) : null))];
  });
  return cards.length ? section('Faults', ...cards) : null;
}

// Without columns it has no head.
function table(columns, rows, text) {
  return element('table', {}, columns ? element('thead', {}, element('tr', {}, columns.map(column =>
    element('th', {scope: 'col', style: text ? 'text-align:left' : null}, column)))) : null, element('tbody', {}, rows));
}

// How B did against A, in words as well as in colour. Differences of less than one in a hundred say nothing.
function ratio(a, b, better) {
  if (!Number.isFinite(a) || !Number.isFinite(b) || a === null || b === null || a === 0) {
    return element('td', {}, a === b && a !== null ? 'same' : '–');
  }
  const factor = b / a;
  const text = '×' + '\u2009' + plain(Number(factor.toPrecision(3)));
  if (better === 'neither' || !(a > 0 && b >= 0) || Math.abs(factor - 1) < 0.01) return element('td', {}, text);
  const good = (factor < 1) === (better === 'lower');
  return element('td', {class: good ? 'better' : 'worse'}, text, element('small', {}, good ? 'better' : 'worse'));
}

const betterWords = {lower: 'lower is better', higher: 'higher is better'};

function tag(caption) {
  const words = betterWords[caption.better];
  return words ? element('span', {class: 'tag'}, (caption.better === 'lower' ? '↓ ' : '↑ ') + words) : null;
}

// Things of both runs by their names, in the order of the first.
function paired(key) {
  const names = [...new Set(runs.flatMap(run => run[key].map(item => item.name)))];
  return names.map(name => runs.map(run => run[key].find(item => item.name === name)));
}

function numbers() {
  const all = paired('numbers');
  if (!all.length) return null;
  const rows = all.map(both => {
    const caption = both.find(Boolean);
    const value = item => item ? item.value : null;
    return element('tr', {},
      element('th', {scope: 'row'}, caption.title, ' ', tag(caption), caption.about ? element('small', {}, caption.about) : null),
      both.map(item => element('td', {}, withUnit(value(item), caption.unit))),
      comparing ? ratio(value(both[0]), value(both[1]), caption.better) : null);
  });
  const columns = comparing ? ['', 'A', 'B', 'B / A'] : null;
  return section('Numbers', element('div', {class: 'card scroll numbers'}, table(columns, rows)));
}

function quantile(sorted, q) {
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)];
}

function bucketQuantile(values, q) {
  let seen = 0;
  for (const [lowest, highest, times] of values.buckets) {
    seen += times;
    if (seen >= q * values.count) return Math.min(values.max, Math.max(values.min, Math.floor((lowest + highest) / 2)));
  }
  return values.max;
}

// The kinds of plots: which columns their table has, the numbers of a line for these, whether lines are bars, and
// how they are drawn.
const KINDS = {
  distributions: {
    columns: ['p50', 'p90', 'p99', 'max'],
    numbers: values => values.count ? [values.p50, values.p90, bucketQuantile(values, 0.99), values.max] : null,
    count: values => counted(values.count, 'value'),
    bars: fewCounts,
    draw: drawDistribution,
  },
  series: {
    columns: ['min', 'mean', 'max', 'last'],
    numbers: ({points}) => points.length ? [
      Math.min(...points.map(point => point[3])),
      points.reduce((sum, point) => sum + point[2], 0) / points.reduce((sum, point) => sum + point[1], 0),
      Math.max(...points.map(point => point[4])),
      meanOf(points[points.length - 1]),
    ] : null,
    count: () => '',
    bars: () => false,
    draw: drawSeries,
  },
  per_node: {
    columns: ['mean', 'p50', 'p99', 'max'],
    numbers: ({values}) => {
      if (!values.length) return null;
      const sorted = [...values].sort((a, b) => a - b);
      return [values.reduce((sum, value) => sum + value, 0) / values.length, quantile(sorted, 0.5), quantile(sorted, 0.99),
              sorted[sorted.length - 1]];
    },
    count: ({values}) => counted(values.length, 'node'),
    bars: fewNodes,
    draw: drawNodes,
  },
};

function plotCard(kind, both) {
  const caption = both.find(Boolean);
  const names = [...new Set(both.flatMap(plot => plot ? plot.lines.map(line => line.name) : []))];
  const lines = names.flatMap((name, index) => both.flatMap((plot, run) => {
    const values = plot && plot.lines.find(line => line.name === name);
    if (!values) return [];
    return [{name, run, values, label: [runName(run), name].filter(Boolean).join(' · '), ...styled(index, run, runs.length)}];
  }));
  const shown = lines.filter(line => kind.numbers(line.values));
  const drawing = element('div', {class: 'drawing'});
  if (shown.length) redraws.push(() => drawing.replaceChildren(kind.draw(Math.max(260, drawing.clientWidth), caption, shown)));
  else drawing.append(element('p', {class: 'tag'}, 'Nothing was recorded in this run.'));
  return element('article', {class: 'card', id: caption.name},
    element('div', {class: 'card-head'}, element('h3', {}, caption.title), tag(caption)),
    caption.about ? element('p', {class: 'about'}, caption.about) : null,
    shown.length > 1 ? legend(shown, kind.bars(caption, shown)) : null,
    element('div', {class: 'plot'}, drawing, element('div', {class: 'scroll'}, plotTable(kind, caption, names, shown))));
}

function legend(lines, bars) {
  return element('ul', {class: 'legend'}, lines.map(line => element('li', {},
    drawn('svg', {width: 28, height: 12, 'aria-hidden': 'true'}, bars
      ? drawn('rect', {x: 8, width: 12, height: 12, style: `fill:${line.colour}`, 'fill-opacity': line.strength})
      : drawn('line', {x1: 0, x2: 28, y1: 6, y2: 6, style: `stroke:${line.colour};stroke-width:${line.width + 1}`,
                       'stroke-dasharray': line.dash || null})),
    line.label)));
}

// The lines of a plot under each other, each with its numbers, and those of two runs with their ratio.
function plotTable(kind, caption, names, lines) {
  const unit = ladderOf(caption.unit) ? caption.unit : '';
  const rows = names.flatMap(name => {
    const same = lines.filter(line => line.name === name);
    if (!same.length) return [];
    const about = [name || 'all', ...new Set(same.map(line => kind.count(line.values)))].filter(Boolean).join(', ');
    const made = [element('tr', {class: 'group'}, element('th', {scope: 'rowgroup', colspan: 5}, about))];
    for (const line of same) {
      made.push(element('tr', {}, comparing ? element('th', {scope: 'row'}, runName(line.run)) : null,
        kind.numbers(line.values).map(value => element('td', {}, withUnit(value, unit)))));
    }
    if (same.length === 2) {
      const [a, b] = same.map(line => kind.numbers(line.values));
      made.push(element('tr', {class: 'ratio'}, element('th', {scope: 'row'}, 'B / A'),
        a.map((value, index) => ratio(value, b[index], caption.better))));
    }
    return made;
  });
  return rows.length ? table([...(comparing ? [''] : []), ...kind.columns], rows) : null;
}

function plots(key, title) {
  const all = paired(key);
  return all.length ? section(title, all.map(both => plotCard(KINDS[key], both))) : null;
}

function map() {
  const views = runs.flatMap((run, index) => run.map && run.map.frames.length && run.map.nodes.length
    ? [new NetworkMapView(run.map, comparing ? `Run ${runName(index)}` : '')] : []);
  if (!views.length) return null;
  const card = mapCard(views);
  redraws.push(card.redraw);
  const large = runs.some(run => run.map && run.map.nodes.length < run.nodes);
  return section('The network over time', element('article', {class: 'card'},
    element('p', {class: 'about'}, 'Each dot is a node. Play it, or drag the slider through virtual time; point at a dot for its number and state.' +
      (large ? ' A sample of the nodes is shown.' : '')), card.element));
}

function title() {
  if (!comparing) return null;
  const same = runs[0].digest && runs[0].digest === runs[1].digest;
  return element('header', {}, element('p', {class: 'kicker'}, 'Comparison of two simulations'),
    element('div', {class: 'heading'},
      element('h1', {}, runs[0].scenario === runs[1].scenario ? runs[0].scenario : `${runs[0].scenario} and ${runs[1].scenario}`),
      same ? pill('good', 'the same trace: both did exactly the same') : null),
    element('p', {class: 'summary', style: 'margin-bottom:18px'}, 'Ratios are B / A: how the second run did against the first.'));
}

document.title = [...new Set(runs.map(run => run.scenario))].join(' and ') + (comparing ? ': comparison' : ': simulation report');
document.getElementById('page').replaceChildren(...[
  title(),
  ...runs.map(head),
  checks(),
  faults(),
  numbers(),
  plots('distributions', 'How values are spread'),
  plots('series', 'Over virtual time'),
  plots('per_node', 'Node by node'),
  map(),
  element('footer', {}, 'Made by ggen-p2p-sim. This page needs no network; the JSON file beside it has the same numbers.'),
].filter(Boolean));

const redraw = () => redraws.forEach(draw => draw());
let drawnWidth = 0;
new ResizeObserver(() => {
  const width = document.documentElement.clientWidth;
  if (width === drawnWidth) return;
  drawnWidth = width;
  redraw();
}).observe(document.documentElement);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
redraw();
