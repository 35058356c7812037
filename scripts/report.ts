/** How every check ends: its faults one to a line and a failure, or one line of success. */
export function report(faults: readonly string[], success: string): void {
  for (const fault of faults) process.stderr.write(`${fault}\n`);
  if (faults.length > 0) process.exitCode = 1;
  else process.stdout.write(`${success}\n`);
}
