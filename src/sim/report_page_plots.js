'use strict';

// Elements, the tip under the pointer, and the plots: each function here draws one kind into an SVG.

const SVG = document.getElementById('svg-root').namespaceURI;
const DASHES = ['', '7 4', '2 3', '10 3 2 3', '5 2', '1 5'];

function element(tag, attributes, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

function drawn(tag, attributes, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

// Text is only ever appended as text: nothing in a report can become markup.
function filled(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.flat(Infinity).filter(child => child !== null && child !== undefined));
  return made;
}

const tip = document.getElementById('tip');

function showTip(event, title, lines) {
  tip.replaceChildren(element('b', {}, title), ...lines.map(line => element('span', {}, line)));
  tip.hidden = false;
  const room = document.documentElement.clientWidth;
  const left = event.pageX + 16 + tip.offsetWidth > room ? event.pageX - tip.offsetWidth - 12 : event.pageX + 16;
  tip.style.left = Math.max(4, left) + 'px';
  tip.style.top = event.pageY + 14 + 'px';
}

function hideTip() {
  tip.hidden = true;
}

// One line of a plot as it is shown: `values` with its label, colour and dashes. With two runs the colour is the run and the
// dashes are the line; with one run both are the line. Bars have no dashes: those of later lines are paler.
function styled(index, run, runs) {
  const colour = `var(--c${runs > 1 ? run : index % 6})`;
  // The first of two runs is drawn wider, so that it shows below the second where both are the same.
  return {colour, dash: DASHES[index % DASHES.length], width: runs > 1 && run === 0 ? 3.4 : 1.8, strength: runs > 1 ? 1 / (1 + 0.9 * index) : 1};
}

// The frame of a plot: axes, grid and titles. `x` and `y` are functions of the number of ticks that fit. Gives where values
// lie, and the group to draw into.
function frame(width, makeX, makeY, xTitle, yTitle, description) {
  const height = Math.round(Math.min(330, Math.max(230, width * 0.5)));
  const y = makeY(Math.max(3, Math.round(height / 55)));
  const left = 18 + Math.max(...y.ticks.map(tick => tick.label.length)) * 7.2;
  const box = {left: left + 14, right: width - 14, top: 12, bottom: height - 44};
  const x = makeX(Math.max(3, Math.round((box.right - box.left) / 80)));
  const px = value => box.left + x.at(value) * (box.right - box.left);
  const py = value => box.bottom - y.at(value) * (box.bottom - box.top);
  const svg = drawn('svg', {viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': description});
  for (const tick of y.ticks) {
    svg.append(drawn('line', {class: 'grid', x1: box.left, x2: box.right, y1: py(tick.value), y2: py(tick.value)}),
               drawn('text', {x: box.left - 8, y: py(tick.value) + 4, 'text-anchor': 'end'}, tick.label));
  }
  for (const tick of x.ticks) {
    const at = px(tick.value);
    svg.append(drawn('line', {class: 'grid', x1: at, x2: at, y1: box.top, y2: box.bottom}));
    const half = tick.label.length * 3.4;
    const anchor = at + half > width ? 'end' : 'middle';
    svg.append(drawn('text', {x: anchor === 'end' ? width - 2 : at, y: box.bottom + 17, 'text-anchor': anchor}, tick.label));
  }
  const middle = (box.top + box.bottom) / 2;
  svg.append(
      drawn('line', {class: 'axis', x1: box.left, x2: box.right, y1: box.bottom, y2: box.bottom}),
      drawn('text', {x: (box.left + box.right) / 2, y: height - 6, 'text-anchor': 'middle'}, xTitle(x)),
      drawn('text', {x: 12, y: middle, 'text-anchor': 'middle', transform: `rotate(-90 12 ${middle})`}, yTitle(y)));
  const guide = drawn('line', {class: 'guide', y1: box.top, y2: box.bottom});
  const inside = drawn('g', {});
  svg.append(inside, guide);
  return {svg, box, x, y, px, py, inside, guide};
}

// Calls `read(value under the pointer)` for {at, title, lines}, and shows these.
function readOut(plot, width, read) {
  plot.svg.addEventListener('pointermove', event => {
    const bounds = plot.svg.getBoundingClientRect();
    const x = (event.clientX - bounds.left) * width / bounds.width;
    const share = (x - plot.box.left) / (plot.box.right - plot.box.left);
    const found = share < -0.02 || share > 1.02 ? null : read(plot.x.back(Math.min(1, Math.max(0, share))));
    plot.guide.style.visibility = found ? 'visible' : 'hidden';
    if (!found) return hideTip();
    plot.guide.setAttribute('x1', plot.px(found.at));
    plot.guide.setAttribute('x2', plot.px(found.at));
    showTip(event, found.title, found.lines);
  });
  plot.svg.addEventListener('pointerleave', () => {
    plot.guide.style.visibility = 'hidden';
    hideTip();
  });
}

function curve(points, line) {
  return drawn('path', {
    class: 'curve', style: `stroke:${line.colour};stroke-width:${line.width}`, 'stroke-dasharray': line.dash || null,
    d: points.map(([x, y], i) => `${i ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`).join(''),
  });
}

const titled = (words, axis) => axis.label ? `${words} (${axis.label})` : words;
const prefixed = (line, text) => line.label ? `${line.label}: ${text}` : text;

function fewCounts(caption, lines) {
  const low = Math.min(...lines.map(line => line.values.min)), high = Math.max(...lines.map(line => line.values.max));
  return !ladderOf(caption.unit) && high - low <= 24 && high < 256;
}

function fewNodes(caption, lines) {
  return lines.every(line => line.values.values.length <= 60);
}

// Counts with few different values are bars; all else is a cumulative curve.
function drawDistribution(width, caption, lines) {
  lines = lines.filter(line => line.values.count > 0);
  const low = Math.min(...lines.map(line => line.values.min)), high = Math.max(...lines.map(line => line.values.max));
  return fewCounts(caption, lines) ? drawBars(width, caption, lines, low, high) : drawCumulative(width, caption, lines, low, high);
}

function drawCumulative(width, caption, lines, low, high) {
  const makeX = count => low > 0 && high / low > 30 ? logAxis(low, high, caption.unit, count)
                                                  : linearAxis(low / high > 0.7 && low < high ? low : 0, high, caption.unit, count, false);
  const shares = {
    at: share => share, back: share => share, label: '',
    ticks: [0, 0.25, 0.5, 0.75, 0.9, 1].map(value => ({value, label: `${100 * value}\u00a0%`})),
  };
  const what = caption.unit === 'ns' ? 'time' : caption.unit === 'bytes' ? 'size' : 'value';
  const plot = frame(width, makeX, () => shares, axis => titled(what, axis), () => 'share of all', caption.title);
  for (const line of lines) {
    let seen = 0;
    const points = [[plot.px(Math.max(line.values.min, plot.x.back(0))), plot.py(0)]];
    for (const [, highest, times] of line.values.buckets) {
      const at = plot.px(Math.min(highest, line.values.max));
      // A step where values are few, so that no value is shown that was not seen.
      if (line.values.buckets.length < 30) points.push([at, plot.py(seen / line.values.count)]);
      seen += times;
      points.push([at, plot.py(seen / line.values.count)]);
    }
    points.push([plot.box.right, plot.py(1)]);
    plot.inside.append(curve(points, line));
  }
  readOut(plot, width, value => ({
    at: value,
    title: `At most ${withUnit(value, caption.unit)}`,
    lines: lines.map(line => prefixed(line, percent(shareUpTo(line.values, value)))),
  }));
  return plot.svg;
}

function shareUpTo(values, limit) {
  let seen = 0;
  for (const [lowest, highest, times] of values.buckets) {
    if (Math.min(highest, values.max) > limit) {
      if (limit > lowest) seen += times * (limit - lowest) / (highest - lowest);
      break;
    }
    seen += times;
  }
  return seen / values.count;
}

function drawBars(width, caption, lines, low, high) {
  const shareOf = (line, value) => {
    const found = line.values.buckets.find(([lowest]) => lowest === value);
    return found ? found[2] / line.values.count : 0;
  };
  const counts = [];
  for (let value = low; value <= high; ++value) counts.push(value);
  const most = Math.max(...lines.flatMap(line => counts.map(value => shareOf(line, value))));
  const makeX = count => {
    const stride = Math.ceil(counts.length / Math.max(count * 2, 1));
    return {
      at: value => (value - low + 0.5) / counts.length, back: share => low - 0.5 + share * counts.length, label: '',
      ticks: counts.filter(value => (value - low) % stride === 0).map(value => ({value, label: String(value)})),
    };
  };
  const plot = frame(width, makeX, count => linearAxis(0, 100 * most, '%', count, false),
                     () => caption.unit || 'value', axis => titled('share of all', axis), caption.title);
  const room = (plot.box.right - plot.box.left) / counts.length;
  const each = Math.min(48, room * 0.8 / lines.length);
  lines.forEach((line, index) => {
    for (const value of counts) {
      const share = shareOf(line, value);
      if (share === 0) continue;
      const top = plot.py(100 * share);
      plot.inside.append(drawn('rect', {
        x: plot.px(value) + (index - lines.length / 2) * each + 0.5, width: Math.max(1, each - 1),
        y: top, height: Math.max(0.5, plot.box.bottom - top), style: `fill:${line.colour}`, 'fill-opacity': line.strength,
      }));
    }
  });
  readOut(plot, width, at => {
    const value = Math.min(high, Math.max(low, Math.round(at)));
    return {
      at: value,
      title: withUnit(value, caption.unit),
      lines: lines.map(line => prefixed(line, percent(shareOf(line, value)))),
    };
  });
  return plot.svg;
}

const meanOf = point => point[2] / point[1];

function drawSeries(width, caption, lines) {
  lines = lines.filter(line => line.values.points.length > 0);
  const points = lines.flatMap(line => line.values.points);
  // A mean over the values of a step may hide its peak: a line on its own gets a band around it.
  const band = lines.length === 1;
  const low = Math.min(0, ...points.map(point => band ? point[3] : meanOf(point)));
  const high = Math.max(...points.map(point => band ? point[4] : meanOf(point)));
  const end = Math.max(...points.map(point => point[0])), start = Math.min(...points.map(point => point[0]));
  const plot = frame(width, count => linearAxis(start < end / 4 || start === end ? 0 : start, end, 'ns', count, false),
                     count => linearAxis(low, high, caption.unit, count, false),
                     axis => titled('virtual time', axis), axis => axis.label, caption.title);
  for (const line of lines) {
    const at = point => plot.px(point[0]);
    if (band) {
      const edge = [...line.values.points.map(point => [at(point), plot.py(point[4])]),
                    ...line.values.points.map(point => [at(point), plot.py(point[3])]).reverse()];
      plot.inside.append(drawn('polygon', {class: 'band', style: `fill:${line.colour}`, points: edge.map(pair => pair.join()).join(' ')}));
    }
    plot.inside.append(curve(line.values.points.map(point => [at(point), plot.py(meanOf(point))]), line));
    if (line.values.points.length === 1) {
      const [only] = line.values.points;
      plot.inside.append(drawn('circle', {cx: at(only), cy: plot.py(meanOf(only)), r: 3.5, style: `fill:${line.colour}`}));
    }
  }
  readOut(plot, width, value => {
    const nearest = line => line.values.points.reduce(
        (best, point) => Math.abs(point[0] - value) < Math.abs(best[0] - value) ? point : best);
    const found = lines.map(line => [line, nearest(line)]);
    const closest = found.reduce((best, pair) => Math.abs(pair[1][0] - value) < Math.abs(best[1][0] - value) ? pair : best);
    return {
      at: closest[1][0],
      title: `At ${withUnit(closest[1][0], 'ns')}`,
      lines: found.map(([line, point]) => prefixed(line, withUnit(meanOf(point), caption.unit))),
    };
  });
  return plot.svg;
}

// The nodes side by side, from the one with the most to the one with the least.
function drawNodes(width, caption, lines) {
  lines = lines.filter(line => line.values.values.length > 0);
  const ranked = lines.map(line => line.values.values.map((value, node) => [value, node]).sort((a, b) => b[0] - a[0] || a[1] - b[1]));
  const most = Math.max(...ranked.map(nodes => nodes.length));
  const high = Math.max(...ranked.map(nodes => nodes[0][0])), low = Math.min(...ranked.map(nodes => nodes[nodes.length - 1][0]));
  // The length of a bar means something from zero on only.
  const bars = fewNodes(caption, lines);
  const makeY = count => !bars && low > 0 && high / low > 100 ? logAxis(low, high, caption.unit, count)
                                                   : linearAxis(Math.min(0, low), high, caption.unit, count, false);
  const makeX = count => {
    const axis = linearAxis(0, most, '', count, true);
    const ticks = axis.ticks.map(tick => ({value: Math.max(1, tick.value), label: plain(Math.max(1, tick.value))}));
    return {at: rank => (rank - 0.5) / most, back: share => share * most + 0.5, label: '', ticks: ticks.filter((tick, i) => tick.value <= most && (i === 0 || tick.value > ticks[i - 1].value))};
  };
  const plot = frame(width, makeX, makeY, () => 'nodes, from the most to the least',
                     axis => axis.label, caption.title);
  const base = plot.y.log ? plot.box.bottom : plot.py(0);
  const room = (plot.box.right - plot.box.left) / most;
  lines.forEach((line, index) => {
    if (bars) {
      const each = Math.min(48, room * 0.8 / lines.length);
      ranked[index].forEach(([value], rank) => plot.inside.append(drawn('rect', {
        x: plot.px(rank + 1) + (index - lines.length / 2) * each, width: Math.max(1, each - 0.5),
        y: Math.min(plot.py(value), base), height: Math.max(0.5, Math.abs(base - plot.py(value))), style: `fill:${line.colour}`,
        'fill-opacity': line.strength,
      })));
      return;
    }
    // Of many nodes, as many as there are pixels.
    const stride = Math.max(1, Math.floor(most / 1200));
    const points = ranked[index].map(([value], rank) => [plot.px(rank + 1), plot.py(value), rank])
        .filter(([, , rank]) => rank % stride === 0 || rank === ranked[index].length - 1);
    const area = [[points[0][0], base], ...points, [points[points.length - 1][0], base]];
    if (lines.length === 1) {
      plot.inside.append(drawn('polygon', {class: 'band', style: `fill:${line.colour}`, points: area.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ')}));
    }
    plot.inside.append(curve(points, line));
  });
  readOut(plot, width, value => {
    const rank = Math.min(most, Math.max(1, Math.round(value)));
    return {
      at: rank,
      title: `Number ${plain(rank)} of ${plain(most)}`,
      lines: lines.flatMap((line, index) => {
        const found = ranked[index][rank - 1];
        return found ? [prefixed(line, `${withUnit(found[0], caption.unit)}, node ${found[1]}`)] : [];
      }),
    };
  });
  return plot.svg;
}
