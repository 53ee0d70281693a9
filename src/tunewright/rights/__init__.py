"""What data licences, the base model and teachers together allow, demand and forbid.

Pure: nothing is read but the packs. A licence is read as an SPDX expression, by the names hubs use as
well; a name that is not in the table stays unknown and allows nothing. `judge` gives one answer for each
use of the tuned model, with the clause it rests on and the records that cause it.

Limits: not legal advice. The table is dated and holds the clauses that matter for tuning, not whole texts;
where no court has said what a clause means for trained models, the careful reading counts and is marked
so. Contracts, personal data, trade marks and patents are not looked at.
"""

from tunewright.rights._compute import Applicability as Applicability
from tunewright.rights._compute import modification as modification
from tunewright.rights._days import expired as expired
from tunewright.rights._days import last_day as last_day
from tunewright.rights._judge import judge as judge
from tunewright.rights._known import Writer as Writer
from tunewright.rights._known import recognise as recognise
from tunewright.rights._known import writers as writers
from tunewright.rights._meaning import USES as USES
from tunewright.rights._meaning import Answer as Answer
from tunewright.rights._meaning import Intent as Intent
from tunewright.rights._meaning import Reason as Reason
from tunewright.rights._meaning import Role as Role
from tunewright.rights._meaning import Side as Side
from tunewright.rights._meaning import worst as worst
from tunewright.rights._parts import part_of as part_of
from tunewright.rights._parts import parts as parts
from tunewright.rights._reading import SAID_NOTHING as SAID_NOTHING
from tunewright.rights._reading import Reading as Reading
from tunewright.rights._reading import nearest as nearest
from tunewright.rights._reading import read as read
from tunewright.rights._shapes import Branch as Branch
from tunewright.rights._shapes import Data as Data
from tunewright.rights._shapes import Permission as Permission
from tunewright.rights._shapes import Rights as Rights
from tunewright.rights._shapes import Teacher as Teacher
from tunewright.rights._sides import side_of_data as side_of_data
