"""How the checkpoints in mtl_dm/pretrained are made and measured."""
