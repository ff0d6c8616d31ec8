from . import digits as digits
from . import fashion_mnist as fashion_mnist
from . import iris as iris
from . import mnist as mnist
