from stages.regression.hmr2.vit import *  # noqa
