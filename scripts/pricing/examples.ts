import type { EvaluatedPrice, PriceEvaluation } from '#domain/pricing/evaluation.ts';
import { blocksOf } from '../guide-blocks.ts';

/** A worked example of the pricing guide. */
export interface PricingExample {
  /** The heading that it stands under. */
  readonly chapter: string;
  readonly question: PriceEvaluation;
  /** What the guide shows of the answer. */
  readonly answer: Partial<EvaluatedPrice>;
  /** What is written below the answer, until the next example or heading. */
  readonly words: string;
  /** Of its price curve, where the guide shows one. */
  readonly picture: CurvePictureReference | undefined;
}

export interface CurvePictureReference {
  readonly chapter: string;
  /** Beside the guide's folder, such as `pricing/volume.svg`. */
  readonly path: string;
  /** What is to be seen, for those who do not see it. */
  readonly description: string;
  /** What the quantity counts. */
  readonly unit: string;
}

const PICTURE = /^!\[(.+)\]\(\.\.\/([^ )]+\.svg) "(.+)"\)$/;

/**
 * The examples of a guide: each `json question` with the `json answer` that follows it. A picture is of the example after it. Throws where one
 * of them stands alone: what is half understood would be half checked.
 */
export function examplesOf(guide: string): PricingExample[] {
  const examples: (Omit<PricingExample, 'words'> & { words: string[] })[] = [];
  let chapter = '';
  let words: string[] | undefined;
  let picture: CurvePictureReference | undefined;
  let question: PriceEvaluation | undefined;
  for (const block of blocksOf(guide)) {
    const { text } = block;
    if (block.kind === 'prose') {
      const shown = pictureOf(chapter, text);
      if (shown && picture) throw new Error(`the guide shows ${picture.path} of no example`);
      picture = shown ?? picture;
      words?.push(text);
      continue;
    }
    words = undefined;
    if (block.kind === 'heading') chapter = text;
    else if (block.note === 'question') {
      if (question) throw new Error(`the guide shows no answer before ${text}`);
      question = JSON.parse(text) as PriceEvaluation;
    } else if (block.note === 'answer') {
      if (!question) throw new Error(`the guide shows an answer to no question: ${text}`);
      words = [];
      examples.push({
        chapter,
        question,
        answer: JSON.parse(text) as PricingExample['answer'],
        words,
        picture,
      });
      [question, picture] = [undefined, undefined];
    } else throw new Error(`the guide shows neither question nor answer: ${text}`);
  }
  if (question) throw new Error('the guide shows no answer to its last question');
  if (picture) throw new Error(`the guide shows ${picture.path} of no example`);
  return examples.map((example) => ({ ...example, words: example.words.join(' ') }));
}

function pictureOf(chapter: string, line: string): CurvePictureReference | undefined {
  const [, description, path, unit] = PICTURE.exec(line) ?? [];
  if (description === undefined || path === undefined || unit === undefined) return undefined;
  return { chapter, path, description, unit };
}
