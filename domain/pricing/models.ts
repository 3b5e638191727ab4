import type { Violation } from '../violation.ts';
import { PRICE_MODELS, type Price } from './charge.ts';
import { violation } from './check-number.ts';
import type { Model, ModelDefinition } from './model.ts';
import { dynamic } from './models/dynamic.ts';
import { flat } from './models/flat.ts';
import { graduatedPercentage } from './models/graduated-percentage.ts';
import { graduated } from './models/graduated.ts';
import { matrix } from './models/matrix.ts';
import { packaged } from './models/package.ts';
import { perUnit } from './models/per-unit.ts';
import { percentage } from './models/percentage.ts';
import { volume } from './models/volume.ts';

type Definitions = { readonly [Name in Price['model']]: ModelDefinition<Extract<Price, { model: Name }>> };

const DEFINITIONS: Definitions = {
  flat,
  perUnit,
  graduated,
  volume,
  package: packaged,
  percentage,
  graduatedPercentage,
  matrix,
  dynamic,
};

/** The definition of a price's own model: the table above pairs them. */
const definitionOf = ({ model }: Price): ModelDefinition<Price> =>
  DEFINITIONS[model] as ModelDefinition<Price>;

/** All that is wrong with a price, at pointers below the given one. */
export const checkPrice = (price: Price, pointer: string): Violation[] =>
  Object.hasOwn(DEFINITIONS, price.model)
    ? definitionOf(price).check(price, pointer)
    : [violation(`${pointer}/model`, 'unknown_model', `must be one of ${PRICE_MODELS.join(', ')}`)];

/** Of a price that `checkPrice` finds nothing wrong with. */
export const preparePrice = (price: Price): Model => definitionOf(price).prepare(price);
