// The page of `npm run observe`: asks for what was observed every two seconds and draws it. Everything received is set as text.
const ASK_EVERY_MS = 2_000;
const SVG = 'http://www.w3.org/2000/svg';

const byId = (id) => document.getElementById(id);

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function drawn(name, attributes = {}, text = '') {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const percent = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 3 });
const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });

function seconds(value) {
  if (value === null || value === undefined) return 'none';
  if (value < 0.001) return `${(value * 1e6).toFixed(0)} µs`;
  return value < 1 ? `${(value * 1_000).toPrecision(3)} ms` : `${value.toPrecision(3)} s`;
}

function showLevels(levels) {
  byId('levels').replaceChildren(...levels.map(levelCard));
}

function levelCard({ title, description, objective, share, budgetLeft, counted, bad }) {
  const tone = share === null ? '' : budgetLeft >= 0.25 ? 'good' : budgetLeft >= 0 ? 'warn' : 'bad';
  const left = Math.max(0, Math.min(1, budgetLeft ?? 1));
  const card = element(
    'article',
    { class: 'card' },
    element('h3', {}, title),
    element('span', { class: `share ${tone}` }, share === null ? 'nothing yet' : percent.format(share)),
    element('meter', { min: '0', max: '1', low: '0.01', high: '0.25', optimum: '1', value: String(left) }),
    element(
      'p',
      {},
      share === null
        ? `Objective ${percent.format(objective)}.`
        : `Objective ${percent.format(objective)}; ${budgetSays(budgetLeft)}. ${whole.format(bad)} of ${whole.format(counted)} were bad.`,
    ),
    element('p', {}, description),
  );
  return card;
}

const budgetSays = (left) =>
  left >= 0 ? `${percent.format(left)} of the error budget is left` : 'the error budget is used up';

const FIGURES = [
  ['millrace_usage_accepted_total', 'counted once', whole.format],
  ['millrace_usage_duplicate_total', 'duplicates', whole.format],
  ['millrace_usage_conflict_total', 'conflicts', whole.format],
  ['millrace_usage_unmatched_total', 'matched no meter', whole.format],
  ['millrace_usage_dead_letter_total', 'dead letters', whole.format],
  ['millrace_feed_backlog_messages', 'waiting', whole.format],
  ['millrace_feed_oldest_unacknowledged_seconds', 'oldest waits since', seconds],
];

function showFigures(figures) {
  byId('figures').replaceChildren(
    ...FIGURES.map(([name, label, format]) =>
      element('div', {}, element('dt', {}, label), element('dd', {}, format(figures[name] ?? 0))),
    ),
  );
}

const CHARTS = [
  {
    title: 'Throughput',
    format: (value) => `${whole.format(value)}/s`,
    lines: [
      { name: 'events counted', of: (point) => point.eventsPerSecond },
      { name: 'HTTP requests', of: (point) => point.requestsPerSecond },
    ],
  },
  {
    title: 'Freshness: publishing to commit',
    format: seconds,
    lines: [
      { name: 'p50', of: (point) => point.freshnessP50 },
      { name: 'p99', of: (point) => point.freshnessP99 },
    ],
  },
  {
    title: 'Latency over HTTP, p99',
    format: seconds,
    lines: [
      { name: 'checks and reservations', of: (point) => point.checkP99 },
      { name: 'events taken', of: (point) => point.ingestP99 },
    ],
  },
];

function showCharts(points) {
  byId('charts').replaceChildren(...CHARTS.map((chart) => chartOf(chart, points)));
}

const WIDTH = 360;
const HEIGHT = 120;
const FOOT = 16;

function chartOf({ title, format, lines }, points) {
  const values = lines.flatMap(({ of }) => points.map(of)).filter((value) => value !== null);
  const top = Math.max(...values, 0);
  const svg = drawn('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': title });
  svg.append(drawn('line', { class: 'axis', x1: 0, x2: WIDTH, y1: HEIGHT - FOOT, y2: HEIGHT - FOOT }));
  if (top > 0) {
    svg.append(drawn('text', { x: 0, y: 10 }, format(top)));
    lines.forEach(({ of }, index) =>
      svg.append(drawn('path', { class: CLASSES[index].line, d: pathOf(points.map(of), top) })),
    );
    svg.append(drawn('text', { x: 0, y: HEIGHT - 3 }, clock.format(points[0].atMs)));
    const now = drawn('text', { x: WIDTH, y: HEIGHT - 3, 'text-anchor': 'end' }, 'now');
    svg.append(now);
  } else svg.append(drawn('text', { x: WIDTH / 2, y: HEIGHT / 2, 'text-anchor': 'middle' }, 'nothing yet'));
  const last = points.at(-1);
  const key = lines.flatMap(({ name, of }, index) => [
    ...(index > 0 ? [' · '] : []),
    element('span', { class: CLASSES[index].key }, name),
    ` ${last === undefined || of(last) === null ? '–' : format(of(last))}`,
  ]);
  return element('article', { class: 'chart' }, element('h3', {}, title), element('p', {}, ...key), svg);
}
const CLASSES = [
  { line: 'series-one', key: 'key-one' },
  { line: 'series-two', key: 'key-two' },
];

/** A gap where nothing was counted. */
function pathOf(values, top) {
  const step = WIDTH / Math.max(1, values.length - 1);
  let isOn = false;
  return values
    .map((value, index) => {
      if (value === null) {
        isOn = false;
        return '';
      }
      const y = (HEIGHT - FOOT - (value / top) * (HEIGHT - FOOT - 14)).toFixed(1);
      const command = isOn ? 'L' : 'M';
      isOn = true;
      return `${command}${(index * step).toFixed(1)} ${y}`;
    })
    .join('');
}

function showTraces(traces) {
  const open = new Set([...document.querySelectorAll('.trace[open]')].map((trace) => trace.dataset.id));
  const shown = traces.map((trace, index) =>
    traceOf(trace, open.size === 0 ? index === 0 : open.has(trace.traceId)),
  );
  byId('traces').replaceChildren(
    ...(shown.length > 0 ? shown : [element('p', { class: 'empty' }, 'No trace yet: post some events.')]),
  );
}

function traceOf({ traceId, name, startMs, durationMs, spans }, isOpen) {
  const details = element(
    'details',
    { class: 'trace', 'data-id': traceId },
    element(
      'summary',
      {},
      element('time', {}, clock.format(startMs)),
      ` ${name}, ${seconds(durationMs / 1_000)}, ${spans.length} ${spans.length === 1 ? 'step' : 'steps'}`,
    ),
  );
  details.open = isOpen;
  details.append(...spans.map((span) => stepOf(span, startMs, Math.max(durationMs, 0.001))));
  return details;
}

/** Set through the object model, which the security policy lets through; a style in the markup would be refused. */
function stepOf(span, startMs, durationMs) {
  const kind = span.isFault ? 'fault' : span.service === 'millrace-api' ? 'api' : 'commit';
  const bar = element('span', { class: `bar ${kind}` });
  bar.style.marginLeft = `${((span.startMs - startMs) / durationMs) * 100}%`;
  bar.style.width = `${Math.max(0.4, (span.durationMs / durationMs) * 100)}%`;
  const label = element('span', { class: 'step-name' }, span.name);
  label.style.paddingLeft = `${span.depth * 0.6}rem`;
  return element(
    'div',
    { class: 'step' },
    label,
    element('span', { class: 'lane' }, bar),
    element('span', { class: 'step-time' }, seconds(span.durationMs / 1_000)),
  );
}

const TONES = { WARNING: 'warn', ERROR: 'bad', CRITICAL: 'bad' };

function showLogs(logs) {
  const lines = logs.map(({ atMs, severity, service, text, detail }) =>
    element(
      'li',
      {},
      element('time', {}, clock.format(atMs)),
      ' ',
      element('span', { class: TONES[severity] ?? '' }, severity),
      ` ${service}: ${text} ${detail}`,
    ),
  );
  byId('logs').replaceChildren(
    ...(lines.length > 0 ? lines : [element('li', { class: 'empty' }, 'Nothing was logged.')]),
  );
}

async function ask() {
  try {
    const answer = await fetch('/observed.json');
    const { heardAtMs, levels, figures, points, traces, logs } = await answer.json();
    byId('heard').textContent =
      heardAtMs === null ? 'Waiting for the first figures.' : `Last heard of at ${clock.format(heardAtMs)}.`;
    showLevels(levels);
    showFigures(figures);
    showCharts(points);
    showTraces(traces);
    showLogs(logs);
  } catch {
    byId('heard').textContent = 'The observer does not answer.';
  }
}

void ask();
setInterval(ask, ASK_EVERY_MS);
