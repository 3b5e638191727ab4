import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { withCostTables } from '../../../scripts/cost/cost-tables.ts';
import {
  eventsPerMonth,
  monthlyCost,
  spannerNodes,
  sumOf,
  workerInstances,
} from '../../../scripts/cost/monthly-cost.ts';
import { PLATFORM, WORKLOAD } from '../../../scripts/cost/workload.ts';

const read = (file: string): string => readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');

describe('the cost of a month', () => {
  it('stays below a dollar for a million events from 1,000 events a second on', () => {
    for (let rate = 1_000; rate <= 200_000; rate += 500) {
      const perMillion = (sumOf(monthlyCost(rate, WORKLOAD)) / eventsPerMonth(rate)) * 1e6;
      expect(perMillion, `${rate}/s`).to.be.below(1);
    }
  });

  it('is what the formula of the page gives by hand', () => {
    const workload = {
      ...WORKLOAD,
      rowsPerEvent: 3,
      readsPerEvent: 3,
      messageBytes: 1_024,
      eventsPerCpuSecond: 1_000,
      workerUse: 0.5,
    };
    // 2,628,000,000 events of 1 KiB are 2.4475 TiB: twice at $40 and once at $50, and 7 of 30.4167 days of 2,506.26 GiB at $0.27.
    const pubsub = monthlyCost(1_000, workload).filter(({ part }) => part === 'Pub/Sub');
    expect(pubsub.map(({ dollars }) => dollars.toFixed(2))).to.deep.equal(['195.80', '122.38', '155.73']);
    // 30,000 rows written at 3,500 a node, and read at 22,500: 8.57 + 1.33 nodes.
    expect(spannerNodes(10_000, workload)).to.equal(10);
    // 10 CPUs of work are 20 CPUs half used, which are 8 instances of 2.5.
    expect(workerInstances(10_000, workload)).to.equal(8);
  });

  it('never has less than what Terraform declares at least', () => {
    expect(spannerNodes(1, WORKLOAD)).to.equal(1);
    expect(workerInstances(1, WORKLOAD)).to.equal(PLATFORM.workersLeast);
    expect(read('terraform/environments/prod/main.tf')).to.include('min_processing_units = 1000');
    expect(read('terraform/environments/prod/main.tf')).to.match(/workers += \{ instances = \{ min = 2,/);
    const backups = /variable "backup_days" \{[^}]*default +\S+ (\d+)/.exec(
      read('terraform/modules/spanner/variables.tf'),
    );
    expect(Number(backups?.[1])).to.be.within(PLATFORM.backupCopies * 7, PLATFORM.backupCopies * 7 + 6);
    const archived = /variable "kept_days" \{[^}]*default +\S+ (\d+)/.exec(
      read('terraform/modules/archive/variables.tf'),
    );
    expect(Number(archived?.[1])).to.equal(PLATFORM.archiveDays);
  });

  it('counts the rows that the bench has measured', () => {
    const [, measured] =
      /rows written per event[^|]*\|[^|]*\|[^|]*\| ([\d.]+) \|/.exec(read('docs/performance.md')) ?? [];
    expect(Number(measured)).to.equal(WORKLOAD.rowsPerEvent);
  });

  it('is shown by a page whose tables can be made again, and refuses one without their marks', () => {
    const page = read('docs/cost.md');
    expect(withCostTables(page)).to.equal(page);
    expect(() => withCostTables('# Cost\n')).to.throw('has not 5 marks');
  });
});
