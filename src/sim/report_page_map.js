'use strict';

// The network over time. It is drawn on a canvas: ten thousand elements in an SVG cannot be animated.

const STATES = ['down', 'up', 'reached'];
const stateColour = state => getComputedStyle(document.documentElement).getPropertyValue(`--node-${STATES[state]}`).trim();
const ink = name => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

// One map on one canvas: draw(time) shows the last frame that is not later.
class NetworkMapView {
  constructor(map, title) {
    this.map = map;
    // Edges are given when they differ from those of the frame before.
    map.frames.forEach((frame, index) => frame.edges = frame.edges || (index ? map.frames[index - 1].edges : []));
    this.canvas = element('canvas', {role: 'img', 'aria-label': title});
    this.share = element('div', {class: 'share', 'aria-hidden': 'true'});
    this.tally = element('p', {class: 'tally'});
    this.element = element('div', {}, title ? element('h3', {}, title) : null, this.canvas, this.share, this.tally);
    this.region = this.findRegion();
    this.canvas.addEventListener('pointermove', event => this.point(event));
    this.canvas.addEventListener('pointerleave', hideTip);
  }

  // What of the plane is shown: where nodes are, with a margin, and not less than a tenth of the world.
  findRegion() {
    const degrees = this.map.plane === 'degrees';
    if (!degrees) return {x0: -0.04, x1: 1.04, y0: -0.04, y1: 1.04, aspect: 0.62};
    const spread = (index, whole) => {
      let low = Infinity, high = -Infinity;
      for (const node of this.map.nodes) {
        low = Math.min(low, node[index]);
        high = Math.max(high, node[index]);
      }
      const margin = Math.max((high - low) * 0.06, (whole * 0.1 - (high - low)) / 2);
      return [Math.max(-whole / 2, low - margin), Math.min(whole / 2, high + margin)];
    };
    const [x0, x1] = spread(1, 360), [y0, y1] = spread(2, 180);
    // Room for a label above the northernmost.
    const top = y1 + (y1 - y0) * 0.08;
    return {x0, x1, y0, y1: top, aspect: Math.min(0.75, Math.max(0.35, (top - y0) / (x1 - x0) * 1.1))};
  }

  frameAt(time) {
    let found = this.map.frames[0];
    for (const frame of this.map.frames) if (frame.t_ns <= time) found = frame;
    return found;
  }

  place(node) {
    const {x0, x1, y0, y1} = this.region;
    return [(node[1] - x0) / (x1 - x0) * this.width, (y1 - node[2]) / (y1 - y0) * this.height];
  }

  resize() {
    const width = this.canvas.parentElement.clientWidth;
    const density = window.devicePixelRatio || 1;
    this.width = width - 2;
    this.height = Math.round(Math.max(this.width * this.region.aspect, 200));
    this.canvas.style.height = this.height + 2 + 'px';
    this.canvas.width = this.width * density;
    this.canvas.height = this.height * density;
    this.pen = this.canvas.getContext('2d');
    this.pen.scale(density, density);
    this.places = this.map.nodes.map(node => this.place(node));
    const count = this.map.nodes.length;
    this.radius = (count <= 60 ? 6 : count <= 400 ? 4 : count <= 3000 ? 2.8 : 1.8) * (width < 500 ? 0.75 : 1);
  }

  draw(time) {
    const frame = this.frameAt(time), pen = this.pen;
    this.shown = frame;
    pen.fillStyle = ink('card');
    pen.fillRect(0, 0, this.width, this.height);
    if (this.map.plane === 'degrees') this.drawGraticule();
    pen.strokeStyle = ink('soft');
    pen.globalAlpha = frame.edges.length > 300 ? 0.09 : 0.35;
    pen.lineWidth = 1;
    pen.beginPath();
    for (const [from, to] of frame.edges) {
      pen.moveTo(...this.places[from]);
      pen.lineTo(...this.places[to]);
    }
    pen.stroke();
    pen.globalAlpha = 1;
    STATES.forEach((_, state) => this.drawNodes(frame, state));
    this.drawLabels();
    this.count(frame);
  }

  // Not only the colour tells: what is down is hollow, and what was reached is larger.
  drawNodes(frame, state) {
    const pen = this.pen;
    const radius = this.radius * [0.9, 0.9, 1.15][state];
    pen.fillStyle = pen.strokeStyle = stateColour(state);
    pen.lineWidth = 1.2;
    pen.beginPath();
    this.places.forEach(([x, y], index) => {
      if (frame.states.charCodeAt(index) - 48 !== state) return;
      pen.moveTo(x + radius, y);
      pen.arc(x, y, radius, 0, 2 * Math.PI);
    });
    if (state === 0) pen.stroke();
    else pen.fill();
  }

  drawGraticule() {
    const pen = this.pen, {x0, x1, y0, y1} = this.region;
    // So that the numbers beside the lines have room.
    const step = [5, 10, 30, 60].find(degrees => degrees / (x1 - x0) * this.width >= 56) || 60;
    pen.strokeStyle = ink('grid');
    pen.fillStyle = ink('soft');
    pen.font = '10.5px system-ui, "DejaVu Sans", sans-serif';
    pen.lineWidth = 1;
    const named = (value, plus, minus) => `${Math.abs(value)}°${value > 0 ? plus : value < 0 ? minus : ''}`;
    for (let x = Math.ceil(x0 / step) * step; x <= x1; x += step) {
      const [at] = this.place([0, x, 0]);
      pen.beginPath();
      pen.moveTo(at, 0);
      pen.lineTo(at, this.height);
      pen.stroke();
      if (at > 44 && at < this.width - 24) {
        pen.textAlign = 'center';
        pen.fillText(named(x, 'E', 'W'), at, this.height - 5);
      }
    }
    for (let y = Math.ceil(y0 / step) * step; y <= y1; y += step) {
      const [, at] = this.place([0, 0, y]);
      pen.beginPath();
      pen.moveTo(0, at);
      pen.lineTo(this.width, at);
      pen.stroke();
      if (at > 14 && at < this.height - 20) {
        pen.textAlign = 'left';
        pen.fillText(named(y, 'N', 'S'), 5, at - 3);
      }
    }
  }

  // A label that nodes share is written once, above them, most nodes first and only where there is room.
  drawLabels() {
    const groups = new Map();
    this.map.nodes.forEach((node, index) => {
      if (!node[3]) return;
      const group = groups.get(node[3]) || {count: 0, x: 0, top: Infinity};
      ++group.count;
      group.x += this.places[index][0];
      group.top = Math.min(group.top, this.places[index][1]);
      groups.set(node[3], group);
    });
    if (groups.size > 100) return;
    const pen = this.pen, taken = [];
    pen.font = '600 12px system-ui, "DejaVu Sans", sans-serif';
    pen.textAlign = 'center';
    pen.lineWidth = 3.5;
    pen.strokeStyle = ink('card');
    pen.fillStyle = ink('ink');
    pen.lineJoin = 'round';
    for (const [label, group] of [...groups].sort((a, b) => b[1].count - a[1].count)) {
      const half = pen.measureText(label).width / 2 + 4;
      const x = Math.min(this.width - half, Math.max(half, group.x / group.count));
      const y = Math.max(14, group.top - this.radius - 3);
      const box = [x - half, y - 12, x + half, y + 4];
      if (taken.some(other => box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3])) continue;
      taken.push(box);
      pen.strokeText(label, x, y);
      pen.fillText(label, x, y);
    }
  }

  stateName(state) {
    return state === 2 ? this.map.reached : STATES[state];
  }

  count(frame) {
    const counts = [0, 0, 0];
    for (let i = 0; i < frame.states.length; ++i) ++counts[frame.states.charCodeAt(i) - 48];
    const order = [2, 1, 0];
    this.share.replaceChildren(...order.map(state => element('span', {
      style: `width:${100 * counts[state] / frame.states.length}%;background:var(--node-${STATES[state]})`})));
    this.tally.replaceChildren(...order.map(state => element('span', {},
      element('i', {class: 'dot', style: `border-color:var(--node-${STATES[state]});` +
                                         (state ? `background:var(--node-${STATES[state]})` : '')}),
      `${this.stateName(state)}${state === 1 ? ', not yet' : ''}: ${plain(counts[state])}`)));
  }

  point(event) {
    const bounds = this.canvas.getBoundingClientRect();
    const x = event.clientX - bounds.left, y = event.clientY - bounds.top;
    let best = -1, distance = 14 ** 2;
    this.places.forEach(([nx, ny], index) => {
      const squared = (nx - x) ** 2 + (ny - y) ** 2;
      if (squared < distance) [best, distance] = [index, squared];
    });
    if (best < 0) return hideTip();
    const [id, , , label] = this.map.nodes[best];
    showTip(event, `Node ${id}${label ? ', ' + label : ''}`, [this.stateName(this.shown.states.charCodeAt(best) - 48)]);
  }
}

// The maps of all runs with one slider for their time.
function mapCard(views) {
  const times = [...new Set(views.flatMap(view => view.map.frames.map(frame => frame.t_ns)))].sort((a, b) => a - b);
  const slider = element('input', {type: 'range', min: 0, max: times.length - 1, value: times.length - 1, 'aria-label': 'virtual time'});
  const clock = element('output', {});
  const button = element('button', {type: 'button'}, '▶ Play');
  let playing = null;
  const draw = () => {
    const time = times[slider.value];
    clock.textContent = withUnit(time, 'ns');
    slider.setAttribute('aria-valuetext', clock.textContent);
    views.forEach(view => view.draw(time));
  };
  const stop = () => {
    clearInterval(playing);
    playing = null;
    button.textContent = '▶ Play';
  };
  button.addEventListener('click', () => {
    if (playing) return stop();
    if (Number(slider.value) === times.length - 1) slider.value = 0;
    button.textContent = '❚❚ Pause';
    draw();
    // All of it in eight seconds, but not faster than one can see.
    playing = setInterval(() => {
      slider.value = Number(slider.value) + 1;
      draw();
      if (Number(slider.value) === times.length - 1) stop();
    }, Math.max(60, 8000 / times.length));
  });
  slider.addEventListener('input', () => {
    stop();
    draw();
  });
  // It starts where most is to be seen: in the midst of things rather than at their end.
  slider.value = busiest(views[0].map.frames, times);
  const redraw = () => {
    views.forEach(view => view.resize());
    draw();
  };
  return {
    element: element('div', {}, element('div', {class: 'player'}, button, slider, clock),
                     element('div', {class: 'maps'}, views.map(view => view.element))),
    redraw,
  };
}

// The index of the time at which about half of what will be reached is.
function busiest(frames, times) {
  const reached = frames.map(frame => frame.states.split('2').length - 1);
  const half = Math.max(...reached) / 2;
  const found = frames[Math.max(0, reached.findIndex(count => count >= half))];
  return half === 0 ? times.length - 1 : times.indexOf(found.t_ns);
}
