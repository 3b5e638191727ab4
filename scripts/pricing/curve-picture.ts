import { ticksOf } from './axis.ts';
import { curvePath, tidy, type Place } from './curve-path.ts';
import { curvesOf, type Curve, type Curves, type Point } from './curves.ts';
import type { PricingExample } from './examples.ts';

/** Small enough that its letters are still read where it is as wide as a phone. */
const WIDTH = 480;
const HEIGHT = 320;
const LEFT = 66;
const RIGHT = 436;
const TOP = 48;
const BOTTOM = 258;

const STYLE = `
    .page { fill: #ffffff; }
    .grid { stroke: #dbe2ea; stroke-width: 1; }
    .axis { stroke: #5b6b7f; stroke-width: 1.5; }
    .label { fill: #3a4757; }
    .name { fill: #16202c; font-weight: 600; }
    .curve { fill: none; stroke: #2563a8; stroke-width: 3; stroke-linejoin: round; stroke-linecap: round; }
    .jump { stroke: #2563a8; stroke-width: 1.5; stroke-dasharray: 3 4; }
    .reached { fill: #2563a8; stroke: #2563a8; stroke-width: 2; }
    .left { fill: #ffffff; stroke: #2563a8; stroke-width: 2; }
    .example { fill: #b45309; stroke: #ffffff; stroke-width: 2; }
    .worked { fill: #92400e; font-weight: 600; stroke: #ffffff; stroke-width: 5; stroke-linejoin: round; paint-order: stroke; }
    @media (prefers-color-scheme: dark) {
      .page { fill: #11161d; }
      .grid { stroke: #2a3543; }
      .axis { stroke: #8fa3bb; }
      .label { fill: #c8d3e0; }
      .name { fill: #f1f5f9; }
      .curve, .jump { stroke: #6aa9f0; }
      .reached { fill: #6aa9f0; stroke: #6aa9f0; }
      .left { fill: #11161d; stroke: #6aa9f0; }
      .example { fill: #f5b041; stroke: #11161d; }
      .worked { fill: #f5c26b; stroke: #11161d; }
    }
  `;

/** The price curve of an example as SVG: amounts over quantities, with the example as a dot. */
export function curvePicture({ question, picture }: PricingExample): string {
  if (!picture) throw new Error('the example has no picture');
  const drawn = curvesOf(question);
  const { chapter, description, unit } = picture;
  const body = [
    `<rect class="page" width="${WIDTH}" height="${HEIGHT}" rx="10" />`,
    `<text class="name" x="16" y="28">amount in ${escaped(question.currency)}</text>`,
    `<text class="name" x="${RIGHT}" y="${HEIGHT - 14}" text-anchor="end">${escaped(unit)}</text>`,
    ...axes(drawn),
    ...drawn.curves.flatMap((curve) => drawCurve(curve, placer(drawn))),
    ...drawn.curves.flatMap((curve) => drawExample(curve, placer(drawn))),
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-labelledby="title description" font-family="system-ui, 'Segoe UI', Helvetica, Arial, sans-serif" font-size="16">`,
    `  <title id="title">${escaped(chapter)}: price curve</title>`,
    `  <desc id="description">${escaped(description)}</desc>`,
    `  <style>${STYLE}</style>`,
    ...body.map((line) => `  ${line}`),
    '</svg>',
    '',
  ].join('\n');
}

type Placer = (point: Point) => Place;

const placer =
  ({ quantities, amounts }: Curves): Placer =>
  ([quantity, amount]) => [
    LEFT + ((RIGHT - LEFT) * quantity) / quantities.end,
    BOTTOM - ((BOTTOM - TOP) * amount) / amounts.end,
  ];

function axes(drawn: Curves): string[] {
  const placed = placer(drawn);
  const rows = ticksOf(drawn.amounts).flatMap((amount) => {
    const [x, y] = placed([0, amount]);
    return [
      `<path class="${amount === 0 ? 'axis' : 'grid'}" d="M${LEFT} ${tidy(y)} H${RIGHT}" />`,
      `<text class="label" x="${tidy(x - 8)}" y="${tidy(y + 5)}" text-anchor="end">${numberText(amount)}</text>`,
    ];
  });
  const columns = ticksOf(drawn.quantities).flatMap((quantity) => {
    const [x, y] = placed([quantity, 0]);
    return [
      `<path class="axis" d="M${tidy(x)} ${tidy(y)} v5" />`,
      `<text class="label" x="${tidy(x)}" y="${tidy(y + 23)}" text-anchor="middle">${numberText(quantity)}</text>`,
    ];
  });
  return [...rows, ...columns];
}

/** Where the curve jumps, a full dot has the amount of the bound itself and an empty one what the least unit more begins at. */
function drawCurve({ name, points }: Curve, placed: Placer): string[] {
  const places = points.map(placed);
  const { pieces, jumps } = curvePath(places);
  const [endX, endY] = places.at(-1) ?? [0, 0];
  return [
    ...pieces.map((data) => `<path class="curve" d="${data}" />`),
    ...jumps.flatMap(([[x, from], [, to]]) => [
      `<path class="jump" d="M${tidy(x)} ${tidy(from)} V${tidy(to)}" />`,
      `<circle class="reached" cx="${tidy(x)}" cy="${tidy(from)}" r="3.5" />`,
      `<circle class="left" cx="${tidy(x)}" cy="${tidy(to)}" r="3.5" />`,
    ]),
    ...(name === undefined
      ? []
      : [
          `<text class="name" x="${tidy(endX - 2)}" y="${tidy(endY - 8)}" text-anchor="end">${escaped(name)}</text>`,
        ]),
  ];
}

/** The dot of the worked example; where there are several curves, they have no room for its numbers. */
function drawExample({ name, example }: Curve, placed: Placer): string[] {
  const [x, y] = placed(example);
  const [quantity, amount] = example;
  return [
    `<circle class="example" cx="${tidy(x)}" cy="${tidy(y)}" r="7" />`,
    ...(name === undefined
      ? [
          `<text class="worked" x="${tidy(x - 6)}" y="${tidy(y - 14)}" text-anchor="end">${numberText(quantity)} → ${numberText(amount)}</text>`,
        ]
      : []),
  ];
}

const NUMBERS = new Intl.NumberFormat('en-US', { maximumFractionDigits: 6 });
const numberText = (value: number): string => NUMBERS.format(value);

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
