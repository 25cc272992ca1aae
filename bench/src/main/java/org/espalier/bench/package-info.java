/** Benchmarks and whole-run comparisons; every one of them checks the results that it times. */
@org.jspecify.annotations.NullMarked
package org.espalier.bench;
