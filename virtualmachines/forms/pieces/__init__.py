"""Pieces of forms of machines, made of the catalogue, for creating and editing alike; see `piece`."""

from virtualmachines.forms.pieces.devices import DisksPiece, NicsPiece
from virtualmachines.forms.pieces.parameters import ParameterPiece
from virtualmachines.forms.pieces.piece import Piece, SpecForm, typed_of, with_part, without_part
from virtualmachines.forms.pieces.placement import OptionsPiece, PlacementPiece, SourcePiece, TemplatePiece
from virtualmachines.forms.pieces.select import QuickSelect, QuietSelect
from virtualmachines.forms.pieces.system import HypervisorPiece, SystemPiece, TagsPiece
from virtualmachines.forms.pieces.typed import EMPTY, PlainText, SizeField, read_size, size_text

__all__ = [
    "EMPTY",
    "DisksPiece",
    "HypervisorPiece",
    "NicsPiece",
    "OptionsPiece",
    "ParameterPiece",
    "Piece",
    "PlacementPiece",
    "PlainText",
    "QuickSelect",
    "QuietSelect",
    "SizeField",
    "SourcePiece",
    "SpecForm",
    "SystemPiece",
    "TagsPiece",
    "TemplatePiece",
    "read_size",
    "size_text",
    "typed_of",
    "with_part",
    "without_part",
]
