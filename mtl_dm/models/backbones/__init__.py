"""Backbones by name, one file each: input_shape -> a model from inputs to features [B, D].

Or to a dictionary: features by task name for those tasks that have their own, and what else terms
of the objective may use. An entry is decorated with `example`, an input for the tests. Where a name
stands the path of a .keras file may stand, too.
"""

from mtl_dm.models.backbones._contract import Example, example, example_of, require_image
from mtl_dm.models.backbones._saved import Backbones
from mtl_dm.models.backbones.adashare import adashare
from mtl_dm.models.backbones.compact_cnn import compact_cnn
from mtl_dm.models.backbones.dense_trunk import dense_trunk
from mtl_dm.models.backbones.densenet121 import densenet121
from mtl_dm.models.backbones.efficientnet_b0 import efficientnet_b0
from mtl_dm.models.backbones.efficientnet_b2 import efficientnet_b2
from mtl_dm.models.backbones.effnet_b2 import effnet_b2
from mtl_dm.models.backbones.emoaffnet import emoaffnet
from mtl_dm.models.backbones.faces_behaviour import faces_behaviour
from mtl_dm.models.backbones.hse_nn import hse_nn
from mtl_dm.models.backbones.inception_resnet_small import inception_resnet_small
from mtl_dm.models.backbones.mobilenet_v2 import mobilenet_v2
from mtl_dm.models.backbones.mter_kdtd import mter_kdtd
from mtl_dm.models.backbones.nts_net import nts_net
from mtl_dm.models.backbones.pretrained import pretrained
from mtl_dm.models.backbones.psr import psr
from mtl_dm.models.backbones.resnet18_narrow import resnet18_narrow
from mtl_dm.models.backbones.resnet50 import resnet50
from mtl_dm.models.backbones.small_resnet import small_resnet
from mtl_dm.models.backbones.task_routing import task_routing
from mtl_dm.models.backbones.tmif_fea import tmif_fea
from mtl_dm.models.backbones.vgg16 import vgg16
from mtl_dm.models.backbones.vggface import vggface

BACKBONES = Backbones("backbone")
BACKBONES.register("adashare")(adashare)
BACKBONES.register("compact_cnn")(compact_cnn)
BACKBONES.register("dense_trunk")(dense_trunk)
BACKBONES.register("densenet121")(densenet121)
BACKBONES.register("efficientnet_b0")(efficientnet_b0)
BACKBONES.register("efficientnet_b2")(efficientnet_b2)
BACKBONES.register("effnet_b2")(effnet_b2)
BACKBONES.register("emoaffnet")(emoaffnet)
BACKBONES.register("faces_behaviour")(faces_behaviour)
BACKBONES.register("hse_nn")(hse_nn)
BACKBONES.register("inception_resnet_small")(inception_resnet_small)
BACKBONES.register("mobilenet_v2")(mobilenet_v2)
BACKBONES.register("mter_kdtd")(mter_kdtd)
BACKBONES.register("nts_net")(nts_net)
BACKBONES.register("pretrained")(pretrained)
BACKBONES.register("psr")(psr)
BACKBONES.register("resnet18_narrow")(resnet18_narrow)
BACKBONES.register("resnet50")(resnet50)
BACKBONES.register("small_resnet")(small_resnet)
BACKBONES.register("task_routing")(task_routing)
BACKBONES.register("tmif_fea")(tmif_fea)
BACKBONES.register("vgg16")(vgg16)
BACKBONES.register("vggface")(vggface)

__all__ = [
    "BACKBONES",
    "Example",
    "compact_cnn",
    "dense_trunk",
    "example",
    "example_of",
    "mter_kdtd",
    "nts_net",
    "psr",
    "require_image",
    "tmif_fea",
]
