"""The catalogue of bad inputs, cases 1-56: each with what must happen, run by the tests and by ``make bad-inputs``."""
