import { answerOf, expectProration, prorationVectors } from '#test/vectors/proration.ts';

describe("periods and proration agree with other systems' tests", () => {
  for (const vector of prorationVectors)
    it(`${vector.id} ${vector.kind} ${vector.source}`, () => expectProration(vector, answerOf(vector)));
});
