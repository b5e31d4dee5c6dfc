"""Every page of the site, in the order of the navigation."""

from __future__ import annotations

from fieldguide.web._asking import ASK, HISTORY
from fieldguide.web._comparing import COMPARE
from fieldguide.web._guide import HOME, MODEL
from fieldguide.web._here import FETCH, HERE, LOAD, REMOVE
from fieldguide.web._ledger import CLAIMS
from fieldguide.web._money import COST
from fieldguide.web._page import Page
from fieldguide.web._planning import PLAN, TRAIN_PLAN
from fieldguide.web._runs import ITEM, RUN, RUNS, VERDICT
from fieldguide.web._work import JOBS
from fieldguide.web._works import WORK

PAGES: tuple[Page, ...] = (
    *(HOME, JOBS, MODEL, CLAIMS, PLAN, TRAIN_PLAN, COST, ASK, HISTORY, HERE, FETCH, LOAD, REMOVE),
    *(COMPARE, WORK, RUNS, ITEM, RUN, VERDICT),
)
