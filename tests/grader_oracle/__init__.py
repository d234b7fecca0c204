"""A second grader: raw rows and the documents' numbers, in exact fractions, with nothing of tierlens in between.

Every number of the five documents is written out again here, at the head of the module of its scheme. Features are
worked out from the rows of the eight tables, one customer at a time; what their windows are is said at the head of
:mod:`tests.grader_oracle.days`. ``python -m tests.grader_oracle`` holds tierlens against it.
"""
