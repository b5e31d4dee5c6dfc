"""What a model may have run: exact arithmetic, computer algebra, functions of the user's in the sandbox."""

from fieldguide.app.tools._schema import fault_of_schema, faults
from fieldguide.app.tools._toolbox import BUILT_IN, BoundTool, Called, Toolbox

__all__ = ["BUILT_IN", "BoundTool", "Called", "Toolbox", "fault_of_schema", "faults"]
