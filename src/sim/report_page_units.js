'use strict';

// How values are written, and where an axis has its ticks.

const TIMES = [[1, 'ns'], [1e3, 'µs'], [1e6, 'ms'], [1e9, 's'], [60e9, 'min'], [3600e9, 'h']];
const SIZES = [[1, 'B'], [1024, 'KiB'], [1024 ** 2, 'MiB'], [1024 ** 3, 'GiB'], [1024 ** 4, 'TiB']];

// The largest step of a ladder that leaves at least 1 of the value. Seconds are kept up to five minutes, and minutes up to
// three hours: "90 s" reads better than "1.5 min".
function scaleOf(ladder, value) {
  let best = ladder[0];
  for (const step of ladder) {
    const from = step[1] === 'min' ? 300e9 : step[1] === 'h' ? 3 * 3600e9 : step[0];
    if (Math.abs(value) >= from) best = step;
  }
  return best;
}

// Three digits that mean something; whole numbers are kept whole.
function plain(value) {
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e6) return value.toLocaleString('en-US');
  if (size >= 1000 && size < 1e6) return Math.round(value).toLocaleString('en-US');
  if (size >= 1e6 && size < 1e15) {
    const [divisor, name] = size >= 1e12 ? [1e12, 'T'] : size >= 1e9 ? [1e9, 'G'] : [1e6, 'M'];
    return (value / divisor).toLocaleString('en-US', {maximumSignificantDigits: 3}) + '\u2009' + name;
  }
  if (size < 1e-4 || size >= 1e15) return value.toExponential(2);
  return value.toLocaleString('en-US', {maximumSignificantDigits: 3});
}

function ladderOf(unit) {
  return unit === 'ns' ? TIMES : unit === 'bytes' ? SIZES : null;
}

function withUnit(value, unit) {
  if (value === null || !Number.isFinite(value)) return '–';
  const ladder = ladderOf(unit);
  if (!ladder) return plain(value) + (unit ? '\u00a0' + unit : '');
  if (value === 0) return unit === 'ns' ? '0\u00a0s' : '0\u00a0B';
  const [divisor, name] = scaleOf(ladder, value);
  // 999.9 ms must not become "1,000 ms".
  const rounded = Number((value / divisor).toPrecision(3));
  const next = ladder[ladder.findIndex(step => step[1] === name) + 1];
  if (next && name !== 's' && name !== 'min' && rounded * divisor >= next[0]) return withUnit(next[0], unit);
  return rounded.toLocaleString('en-US') + '\u00a0' + name;
}

function counted(count, what) {
  return `${plain(count)} ${what}${count === 1 ? '' : 's'}`;
}

function percent(share) {
  if (share > 0 && share < 0.001) return '<\u20090.1\u00a0%';
  if (share < 1 && share > 0.999) return '>\u200999.9\u00a0%';
  return (100 * share).toLocaleString('en-US', {maximumFractionDigits: 1}) + '\u00a0%';
}

// An axis maps values to 0..1: {at, back, ticks: [{value, label}], label}.
function linearAxis(low, high, unit, count, whole) {
  const ladder = ladderOf(unit);
  const [divisor, name] = ladder ? scaleOf(ladder, Math.max(Math.abs(low), Math.abs(high))) : [1, unit];
  if (high <= low) high = low + (low === 0 ? divisor : Math.abs(low));
  const rough = (high - low) / divisor / Math.max(count, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  let step = [1, 2, 5, 10].map(factor => factor * power).find(candidate => candidate >= rough * 0.999);
  if (whole && !ladder) step = Math.max(1, step);
  const top = Math.ceil(high / divisor / step - 1e-9) * step * divisor;
  const ticks = [];
  for (let i = Math.ceil(low / divisor / step - 1e-9); i * step * divisor <= top * (1 + 1e-12) + 1e-12; ++i) {
    const shown = Number((i * step).toPrecision(12));
    ticks.push({value: shown * divisor, label: plain(shown)});
  }
  return {at: value => (value - low) / (top - low), back: share => low + share * (top - low), ticks, label: name};
}

function logAxis(low, high, unit, count) {
  low = low / 1.06;
  high = high * 1.06;
  const base = unit === 'bytes' ? 2 : 10;
  const powers = Math.log(high / low) / Math.log(base);
  let values = [];
  const first = Math.floor(Math.log(low) / Math.log(base)), last = Math.ceil(Math.log(high) / Math.log(base));
  const stride = Math.max(1, Math.ceil(powers / count));
  const between = base === 2 ? [1] : powers * 3 <= count + 1 ? [1, 2, 5] : powers * 2 <= count + 1 ? [1, 3] : [1];
  for (let power = first; power <= last; ++power) {
    if (power % stride === 0) values.push(...between.map(factor => factor * base ** power));
  }
  values = values.filter(value => value >= low && value <= high);
  const seconds = TIMES.slice(0, 4);
  const label = value => {
    if (unit !== 'ns') return withUnit(Math.round(value * 1e9) / 1e9, unit === 'bytes' ? unit : '');
    const [divisor, name] = scaleOf(seconds, value * 1.0001);
    return plain(Number((value / divisor).toPrecision(6))) + '\u00a0' + name;
  };
  const span = Math.log(high / low);
  return {
    at: value => Math.log(Math.max(value, low) / low) / span,
    back: share => low * Math.exp(share * span),
    ticks: values.map(value => ({value, label: label(value)})),
    label: (ladderOf(unit) || !unit ? '' : unit + ', ') + 'log scale',
    log: true,
  };
}
