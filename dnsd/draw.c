/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/draw.h"

#include "base/assert.h"
#include "base/hash.h"

/* -- logarithm --------------------------------------------------------- */

#define LOG_BITS 30
#define TABLE_BITS 9
/* Of the mantissa behind the table's index, as many as the result has. */
#define REST_BITS (LOG_BITS - TABLE_BITS)

/* log2(1 + i / 512) * 2^30, rounded. */
static const uint32_t log_table[(1 << TABLE_BITS) + 1] = {0, 3022600, 6039314,
    9050164, 12055174, 15054365, 18047761, 21035384, 24017256, 26993399,
    29963836, 32928587, 35887675, 38841121, 41788947, 44731173, 47667823,
    50598915, 53524472, 56444515, 59359063, 62268138, 65171760, 68069950,
    70962728, 73850114, 76732128, 79608789, 82480119, 85346137, 88206862,
    91062313, 93912511, 96757474, 99597222, 102431773, 105261148, 108085363,
    110904440, 113718395, 116527248, 119331017, 122129721, 124923377, 127712004,
    130495621, 133274244, 136047892, 138816582, 141580333, 144339162, 147093087,
    149842124, 152586291, 155325606, 158060085, 160789745, 163514604, 166234679,
    168949985, 171660541, 174366362, 177067464, 179763865, 182455581, 185142628,
    187825021, 190502778, 193175914, 195844446, 198508388, 201167757, 203822568,
    206472837, 209118580, 211759812, 214396548, 217028803, 219656594, 222279934,
    224898839, 227513324, 230123404, 232729093, 235330407, 237927360, 240519966,
    243108241, 245692198, 248271852, 250847218, 253418309, 255985140, 258547724,
    261106077, 263660211, 266210141, 268755880, 271297442, 273834842, 276368092,
    278897206, 281422197, 283943080, 286459867, 288972571, 291481207, 293985786,
    296486323, 298982829, 301475319, 303963805, 306448299, 308928815, 311405366,
    313877963, 316346620, 318811350, 321272163, 323729074, 326182095, 328631237,
    331076513, 333517935, 335955515, 338389266, 340819199, 343245326, 345667660,
    348086211, 350500993, 352912016, 355319292, 357722834, 360122651, 362518757,
    364911162, 367299878, 369684916, 372066288, 374444004, 376818077, 379188517,
    381555334, 383918542, 386278149, 388634168, 390986609, 393335482, 395680800,
    398022572, 400360810, 402695523, 405026723, 407354420, 409678624, 411999347,
    414316598, 416630388, 418940727, 421247625, 423551093, 425851141, 428147779,
    430441017, 432730865, 435017334, 437300432, 439580170, 441856559, 444129607,
    446399325, 448665721, 450928807, 453188592, 455445085, 457698295, 459948233,
    462194908, 464438329, 466678506, 468915448, 471149164, 473379664, 475606957,
    477831052, 480051959, 482269686, 484484242, 486695637, 488903880, 491108979,
    493310944, 495509783, 497705506, 499898121, 502087636, 504274061, 506457405,
    508637676, 510814882, 512989032, 515160136, 517328201, 519493235, 521655248,
    523814248, 525970243, 528123241, 530273251, 532420281, 534564339, 536705435,
    538843574, 540978767, 543111021, 545240343, 547366743, 549490228, 551610806,
    553728485, 555843273, 557955178, 560064208, 562170370, 564273672, 566374123,
    568471729, 570566499, 572658440, 574747559, 576833865, 578917365, 580998067,
    583075977, 585151104, 587223455, 589293037, 591359858, 593423925, 595485245,
    597543826, 599599675, 601652799, 603703206, 605750902, 607795895, 609838192,
    611877800, 613914726, 615948977, 617980561, 620009483, 622035751, 624059373,
    626080354, 628098702, 630114424, 632127527, 634138016, 636145900, 638151184,
    640153876, 642153982, 644151509, 646146464, 648138853, 650128682, 652115959,
    654100689, 656082880, 658062538, 660039669, 662014280, 663986377, 665955967,
    667923055, 669887649, 671849754, 673809378, 675766525, 677721203, 679673418,
    681623175, 683570481, 685515343, 687457766, 689397756, 691335320, 693270463,
    695203192, 697133512, 699061430, 700986952, 702910083, 704830830, 706749198,
    708665193, 710578822, 712490089, 714399001, 716305564, 718209783, 720111664,
    722011213, 723908436, 725803337, 727695924, 729586201, 731474175, 733359850,
    735243233, 737124328, 739003142, 740879680, 742753948, 744625951, 746495694,
    748363183, 750228423, 752091421, 753952180, 755810707, 757667007, 759521085,
    761372946, 763222597, 765070041, 766915285, 768758333, 770599192, 772437865,
    774274358, 776108677, 777940826, 779770811, 781598637, 783424308, 785247830,
    787069209, 788888448, 790705553, 792520529, 794333381, 796144114, 797952733,
    799759243, 801563649, 803365955, 805166167, 806964289, 808760326, 810554283,
    812346166, 814135978, 815923724, 817709409, 819493039, 821274617, 823054148,
    824831638, 826607090, 828380510, 830151902, 831921271, 833688620, 835453956,
    837217283, 838978604, 840737925, 842495250, 844250584, 846003931, 847755296,
    849504683, 851252097, 852997541, 854741022, 856482542, 858222106, 859959719,
    861695386, 863429109, 865160895, 866890747, 868618669, 870344666, 872068741,
    873790901, 875511147, 877229486, 878945920, 880660455, 882373094, 884083842,
    885792703, 887499680, 889204779, 890908003, 892609356, 894308843, 896006467,
    897702233, 899396145, 901088206, 902778421, 904466794, 906153329, 907838029,
    909520900, 911201944, 912881166, 914558569, 916234158, 917907937, 919579909,
    921250079, 922918449, 924585025, 926249810, 927912807, 929574021, 931233456,
    932891115, 934547002, 936201120, 937853475, 939504068, 941152905, 942799989,
    944445323, 946088911, 947730758, 949370866, 951009239, 952645882, 954280797,
    955913989, 957545460, 959175215, 960803257, 962429590, 964054218, 965677143,
    967298370, 968917901, 970535742, 972151894, 973766362, 975379150, 976990259,
    978599695, 980207461, 981813560, 983417995, 985020770, 986621888, 988221354,
    989819169, 991415338, 993009864, 994602751, 996194001, 997783619, 999371606,
    1000957968, 1002542707, 1004125826, 1005707329, 1007287219, 1008865499,
    1010442173, 1012017244, 1013590715, 1015162589, 1016732870, 1018301561,
    1019868665, 1021434185, 1022998125, 1024560487, 1026121275, 1027680492,
    1029238141, 1030794226, 1032348749, 1033901713, 1035453122, 1037002979,
    1038551287, 1040098049, 1041643268, 1043186948, 1044729090, 1046269699,
    1047808777, 1049346328, 1050882354, 1052416858, 1053949844, 1055481314,
    1057011272, 1058539720, 1060066661, 1061592099, 1063116036, 1064638476,
    1066159420, 1067678873, 1069196837, 1070713315, 1072228309, 1073741824};

uint64_t draw_log2(uint64_t v)
{
	unsigned zeros;
	uint64_t m, index, rest, log;

	/* Odd, so that there is a first one, and u is never 0. */
	v |= 1;
	zeros = (unsigned)__builtin_clzll(v);
	/* The 30 bits behind the first one. */
	m = v << zeros << 1 >> (64 - LOG_BITS);
	index = m >> REST_BITS;
	rest = m & ((UINT64_C(1) << REST_BITS) - 1);
	log = log_table[index] +
	      ((log_table[index + 1] - log_table[index]) * rest >> REST_BITS);
	return ((uint64_t)(zeros + 1) << LOG_BITS) - log;
}

/* -- weights ----------------------------------------------------------- */

#define INVERSE_BITS 56
/* Brings a score below 2^63: 2^36 is the largest logarithm. */
#define SCORE_SHIFT 29

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
	while (b) {
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* The largest weight of one domain. */
static uint64_t heaviest_domain(const struct draw_weights *w)
{
	uint64_t heaviest = 0;

	for (uint32_t i = 0; i < w->n; i++) {
		uint64_t sum = 0;

		for (uint32_t k = 0; k < w->n; k++)
			if (w->pop[k].domain == w->pop[i].domain)
				sum += w->pop[k].weight;
		heaviest = sum > heaviest ? sum : heaviest;
	}
	return heaviest;
}

/* How far all are shifted so that the largest fits. */
static unsigned shift_for(const uint64_t *weights, uint32_t n, uint64_t divisor)
{
	unsigned shift = 0;

	for (uint32_t i = 0; i < n; i++)
		while (weights[i] / divisor >> shift >> DRAW_WEIGHT_BITS)
			shift++;
	return shift;
}

void draw_weights_init(struct draw_weights *ret, uint32_t n,
    const uint64_t *weights, const uint32_t *domains, uint32_t set_max)
{
	uint64_t divisor = 0, heaviest;
	unsigned shift;

	br_assert(n && n <= DRAW_POPS_MAX && set_max);
	*ret = (struct draw_weights){.n = n};
	for (uint32_t i = 0; i < n; i++)
		divisor = common_divisor(divisor, weights[i]);
	shift = shift_for(weights, n, divisor ? divisor : 1);
	for (uint32_t i = 0; i < n; i++) {
		struct draw_weight *p = &ret->pop[i];

		*p = (struct draw_weight){.domain = domains[i]};
		if (!weights[i])
			continue;
		p->weight = (uint32_t)(weights[i] / divisor >> shift);
		p->weight += !p->weight;
		p->inverse = (UINT64_C(1) << INVERSE_BITS) / p->weight;
		ret->total += p->weight;
		ret->n_positive++;
	}
	heaviest = heaviest_domain(ret);
	if (heaviest)
		ret->set_size = (uint32_t)(ret->total / heaviest);
	if (ret->set_size > set_max)
		ret->set_size = set_max;
}

bool draw_weights_equal(
    const struct draw_weights *a, const struct draw_weights *b)
{
	if (a->n != b->n || a->set_size != b->set_size)
		return false;
	for (uint32_t i = 0; i < a->n; i++)
		if (a->pop[i].weight != b->pop[i].weight ||
		    a->pop[i].domain != b->pop[i].domain)
			return false;
	return true;
}

/* -- order ------------------------------------------------------------- */

static inline uint64_t scaled(uint64_t log, uint64_t inverse)
{
	return (uint64_t)((unsigned __int128)log * inverse >> SCORE_SHIFT);
}

uint64_t draw_score(uint64_t id, uint64_t key, uint64_t inverse)
{
	return scaled(draw_log2(hash_u64(id, key)), inverse);
}

/* No more than draw_log2() of the same: -ln(u) is at least 1 - u, 1477 / 1024
 * is less than 1 / ln 2, and 2 is more than all roundings. */
static inline uint64_t log2_at_least(uint64_t v)
{
	uint64_t log = (~v >> (64 - LOG_BITS)) * 1477 >> 10;

	return log < 2 ? 0 : log - 2;
}

uint32_t draw_first(
    const struct draw_weights *w, const uint64_t *ids, uint64_t key)
{
	uint64_t least = UINT64_MAX;
	uint32_t first = 0;

	for (uint32_t i = 0; i < w->n; i++) {
		uint64_t v, score;

		if (!w->pop[i].weight)
			continue;
		v = hash_u64(ids[i], key);
		/* Nearly all of many POPs: no logarithm for those. */
		if (scaled(log2_at_least(v), w->pop[i].inverse) >= least)
			continue;
		score = scaled(draw_log2(v), w->pop[i].inverse);
		if (score < least) {
			least = score;
			first = i;
		}
	}
	return first;
}

uint32_t draw_order(const struct draw_weights *w, const uint64_t *ids,
    uint64_t key, uint32_t n, uint8_t *ret)
{
	uint64_t scores[DRAW_POPS_MAX];
	uint32_t n_ret = 0;

	for (uint32_t i = 0; i < w->n; i++) {
		uint64_t score;
		uint32_t at;

		if (!w->pop[i].weight)
			continue;
		score = draw_score(ids[i], key, w->pop[i].inverse);
		/* The last gives way when all places are taken. */
		if (n_ret == n && (!n || score >= scores[n - 1]))
			continue;
		at = n_ret < n ? n_ret++ : n - 1;
		for (; at && scores[at - 1] > score; at--) {
			scores[at] = scores[at - 1];
			ret[at] = ret[at - 1];
		}
		scores[at] = score;
		ret[at] = (uint8_t)i;
	}
	return n_ret;
}

/* -- samples ----------------------------------------------------------- */

/* Hashes for purposes of their own. */
enum { SEED_ROW = 1, SEED_POINT, SEED_FIRST };

/* Uniform in [0, bound): Lemire's multiply. */
static uint64_t below(uint64_t key, uint64_t seed, uint64_t bound)
{
	return (uint64_t)((unsigned __int128)hash_u64(seed, key) * bound >> 64);
}

/* The POPs that count, domain after domain, in the key's order of domains;
 * how many. */
static uint32_t row_by_domain(
    const struct draw_weights *w, uint64_t key, uint8_t *ret)
{
	uint64_t places[DRAW_POPS_MAX], of_row = hash_u64(SEED_ROW, key);
	uint32_t n = 0;

	for (uint32_t i = 0; i < w->n; i++) {
		uint64_t place = hash_u64(w->pop[i].domain, of_row);
		uint32_t at = n;

		if (!w->pop[i].weight)
			continue;
		for (; at && places[at - 1] > place; at--) {
			places[at] = places[at - 1];
			ret[at] = ret[at - 1];
		}
		places[at] = place;
		ret[at] = (uint8_t)i;
		n++;
	}
	return n;
}

/*
 * n points, `total` apart, over the row of POPs, each n * weight long: integers
 * throughout.
 *
 *      |--a--|----b----|--c--|-d-|----e----|
 *         ^         ^         ^         ^
 */
static uint32_t points_on_row(const struct draw_weights *w, uint64_t key,
    const uint8_t *row, uint32_t n_row, uint32_t n, uint64_t total,
    uint8_t *ret)
{
	uint64_t end = 0, point = below(key, SEED_POINT, total);
	uint32_t n_ret = 0;

	for (uint32_t i = 0; i < n_row; i++) {
		end += (uint64_t)w->pop[row[i]].weight * n;
		if (point >= end)
			continue;
		ret[n_ret++] = row[i];
		point += total;
	}
	br_assert(n_ret == n);
	return n_ret;
}

uint32_t draw_set(const struct draw_weights *w, uint64_t key, uint8_t *ret)
{
	uint8_t row[DRAW_POPS_MAX], chosen[DRAW_POPS_MAX];
	uint32_t n_row, n, first;

	if (!w->set_size)
		return 0;
	n_row = row_by_domain(w, key, row);
	n = points_on_row(w, key, row, n_row, w->set_size, w->total, chosen);
	first = (uint32_t)below(key, SEED_FIRST, n);
	for (uint32_t i = 0; i < n; i++)
		ret[i] = chosen[(first + i) % n];
	return n;
}

/* Marks those who have a share of 1 / n or more of what is left: they are in
 * every sample. Returns how many; *total becomes what the others weigh. */
static uint32_t find_certain(const struct draw_weights *w, uint32_t n,
    bool *ret_certain, uint64_t *total)
{
	uint32_t found = 0;
	bool more = true;

	/* Each round but the last finds one. */
	while (more && found < n) {
		more = false;
		for (uint32_t i = 0; i < w->n && found < n; i++) {
			uint64_t weight = w->pop[i].weight;

			if (!weight || ret_certain[i] ||
			    weight * (n - found) < *total)
				continue;
			ret_certain[i] = more = true;
			*total -= weight;
			found++;
		}
	}
	return found;
}

uint32_t draw_split(const struct draw_weights *w, uint64_t key, uint32_t n,
    uint8_t *ret, uint64_t *ret_weights)
{
	bool certain[DRAW_POPS_MAX] = {false};
	uint8_t row[DRAW_POPS_MAX], rest[DRAW_POPS_MAX];
	uint64_t total = w->total;
	uint32_t n_ret = 0, n_certain, n_row = 0, n_rest;

	n = n < w->n_positive ? n : w->n_positive;
	n_certain = find_certain(w, n, certain, &total);
	n_rest = n - n_certain;
	for (uint32_t i = 0; i < w->n; i++) {
		if (certain[i]) {
			ret[n_ret] = (uint8_t)i;
			/* In units of 1 / n_rest, as the others. */
			ret_weights[n_ret++] =
			    (uint64_t)w->pop[i].weight * (n_rest ? n_rest : 1);
		}
	}
	if (!n_rest)
		return n_ret;
	uint8_t all[DRAW_POPS_MAX];
	uint32_t n_all = row_by_domain(w, key, all);

	for (uint32_t i = 0; i < n_all; i++)
		if (!certain[all[i]])
			row[n_row++] = all[i];
	points_on_row(w, key, row, n_row, n_rest, total, rest);
	for (uint32_t i = 0; i < n_rest; i++) {
		ret[n_ret] = rest[i];
		ret_weights[n_ret++] = total;
	}
	return n_ret;
}
