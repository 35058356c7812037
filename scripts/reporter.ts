/** Mocha's spec reporter, with a closing line that programs can read: `N passed, N failed, N skipped`. */
import mocha from 'mocha';

/** Prints each test as mocha does, then one plain line of totals, also when no test ran. */
export class Reporter extends mocha.reporters.Spec {
  override epilogue(): void {
    super.epilogue();
    const { passes, failures, pending } = this.stats;
    process.stdout.write(`${passes} passed, ${failures} failed, ${pending} skipped\n`);
  }
}

// Mocha loads reporters with require(), which hands this export out as the module.
export { Reporter as 'module.exports' };
